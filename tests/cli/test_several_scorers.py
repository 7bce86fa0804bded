"""Several scorers in one run of the command: beside each other, and blended."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.support.command import SETTINGS, save_picture
from tests.support.tiny_registry import tiny_registry

COLOURS = [(200, 30, 30), (30, 30, 200), (20, 220, 90), (90, 90, 0), (250, 250, 250)]


@pytest.fixture
def models(tmp_path, monkeypatch):
    tiny_registry(tmp_path / "models", monkeypatch)
    return tmp_path / "models"


@pytest.fixture
def outputs(tmp_path):
    for number, colour in enumerate(COLOURS):
        save_picture(tmp_path / "outputs" / f"{number}.png", colour, "a cat" + SETTINGS)
    return tmp_path / "outputs"


def test_other_scorers_are_shown_in_every_form(run, models, outputs):
    also = ("-s", "demo", "--also", "CLIP,Aesthetic", "--also", "PickScore", "--models-dir", models)
    rows = run("score", outputs, *also, "-f", "json").rows
    assert list(rows[0]["beside"]) == ["CLIP", "Aesthetic", "PickScore"]
    table = list(csv.DictReader(io.StringIO(run("score", outputs, *also, "-f", "csv").out)))
    assert [float(each["score:CLIP"]) for each in table] == [row["beside"]["CLIP"] for row in rows]
    shown = run("score", outputs, *also)
    assert all(name in shown.out.splitlines()[0] for name in ("CLIP", "Aesthetic", "PickScore"))
    assert f"{rows[0]['beside']['PickScore']:.4f}" in shown.out
    assert "CLIP and Aesthetic order" in shown.err
    alone = run("score", outputs, "-s", "Aesthetic", "--models-dir", models, "-f", "json").rows
    assert [row["score"] for row in alone] == pytest.approx(
        [row["beside"]["Aesthetic"] for row in rows], abs=1e-4
    )


def test_every_form_says_why_another_scorer_has_no_score(run, models, tmp_path):
    """Two scorers read the prompt, which is missing; the one that decides reads none."""
    pictures = tmp_path / "bare"
    save_picture(pictures / "none.png", (9, 9, 9))
    save_picture(pictures / "some.png", (90, 9, 9), "a cat" + SETTINGS)
    also = ("-s", "Aesthetic", "--also", "CLIP,PickScore", "--models-dir", models)
    page = tmp_path / "page.html"
    done = run("score", pictures, *also, "-f", "json", "--html", page)
    why = {row["file"].rpartition("bare")[2].strip("/\\"): row["beside_reason"] for row in done.rows}
    assert why["some.png"] == "" and why["none.png"].startswith("CLIP, PickScore: ")
    assert "no prompt" in why["none.png"] and "none.png" not in why["none.png"]
    table = list(csv.DictReader(io.StringIO(run("score", pictures, *also, "-f", "csv").out)))
    assert {each["beside_reason"] for each in table} == set(why.values())
    assert list(table[0])[-3:] == ["score:CLIP", "score:PickScore", "beside_reason"]
    assert why["none.png"] in run("score", pictures, *also).out
    assert f"No score by {why['none.png']}" in page.read_text(encoding="utf-8").replace("&#x27;", "'")
    run("curate", pictures, *also, "--top", "1")
    stored = tmp_path / "stored.json"
    assert run("report", pictures, "-s", "Aesthetic", "--also", "CLIP,PickScore", "--json", stored).code == 0
    kept = {
        row["file"].rpartition("bare")[2].strip("/\\"): row for row in json.loads(stored.read_text())["rows"]
    }
    assert kept["some.png"]["beside_reason"] == "" and kept["none.png"]["beside_reason"].startswith(
        "CLIP, PickScore: "
    )


def test_all_means_every_scorer_that_is_here(run, models, outputs):
    (models / "PickScore").rename(models.parent / "elsewhere")
    done = run(
        "score", outputs, "-s", "CLIP", "--also", "all", "--models-dir", models, "--offline", "-f", "json"
    )
    others = set(done.rows[0]["beside"])
    assert "ImageReward-v1.0" in others and "HPSv2.1" in others
    assert not others & {"CLIP", "PickScore", "demo"}


def test_an_empty_file_stands_for_no_scorer_and_the_list_and_the_doctor_name_it(run, models, outputs):
    files = [path for path in (models / "PickScore").rglob("*") if path.suffix == ".safetensors"]
    assert files
    for path in files:
        path.write_bytes(b"")
    done = run(
        "score", outputs, "-s", "CLIP", "--also", "all", "--models-dir", models, "--offline", "-f", "json"
    )
    assert "PickScore" not in done.rows[0]["beside"] and "HPSv2.1" in done.rows[0]["beside"]
    facts = {
        each["id"]: each
        for each in json.loads(run("models", "list", "--models-dir", models, "-f", "json").out)
    }
    assert "is empty" in facts["PickScore"]["defect"] and not facts["HPSv2.1"]["defect"]
    assert "not whole" in run("models", "list", "--models-dir", models).out
    assert "is empty" in run("doctor", "--models-dir", models).out


def test_a_scorer_of_the_picture_alone_needs_no_prompt(run, models, tmp_path):
    picture = save_picture(tmp_path / "bare.png", (9, 9, 9))
    assert (
        run("score", picture, "-s", "Aesthetic", "--models-dir", models, "-f", "json").rows[0]["score"]
        is not None
    )
    done = run("score", picture, "-s", "Aesthetic", "--also", "CLIP", "--models-dir", models, "-f", "json")
    assert done.rows[0]["score"] is not None and done.rows[0]["beside"]["CLIP"] is None
    assert done.rows[0]["beside_reason"].startswith("CLIP: ") and "no prompt" in done.rows[0]["beside_reason"]
    other = run(
        "score", picture, "-s", "CLIP", "--also", "Aesthetic", "--models-dir", models, "-f", "json"
    ).rows[0]
    assert other["score"] is None and "no prompt" in other["reason"]
    assert other["beside"]["Aesthetic"] == done.rows[0]["score"]


def test_a_blend_given_as_text_ranks_by_all_its_members(run, models, outputs):
    text = "CLIP=1,PickScore=1@rank"
    done = run("rank", outputs, "-s", text, "--models-dir", models, "-f", "json", "--show", "all")
    assert done.document["scorer"].startswith("blend:")
    assert set(done.rows[0]["beside"]) == {"CLIP", "PickScore"}
    assert "Placed among the pictures of this run" in done.err
    scores = [row["score"] for row in done.rows]
    assert scores == sorted(scores, reverse=True)
    for name in ("CLIP", "PickScore"):
        best = max(done.rows, key=lambda row: row["beside"][name])
        assert best["score"] >= 0.5


def test_blends_are_saved_used_listed_and_removed(run, models, outputs):
    place = ("--models-dir", models)
    assert run("blends", "save", "Mine", "CLIP=0.5,Aesthetic=0.5@rank", *place).code == 0
    assert run("blends", "list", *place, "-f", "json").document == {"Mine": "CLIP=0.5,Aesthetic=0.5@rank"}
    used = run("score", outputs, "-s", "blend:mine", *place, "-f", "json")
    assert used.code == 0 and set(used.rows[0]["beside"]) == {"CLIP", "Aesthetic"}
    taken = run("blends", "save", "mine", "CLIP=1,PickScore=1", *place)
    assert taken.code != 0 and "Mine" in taken.err
    assert run("blends", "remove", "Mine", *place).code == 0
    gone = run("score", outputs, "-s", "blend:Mine", *place)
    assert gone.code != 0 and "Mine" in gone.err


def test_a_blend_with_an_unknown_scorer_is_refused_before_anything_is_done(run, models, outputs):
    for arguments in (("blends", "save", "x", "CLIP=1,Clop=1"), ("score", outputs, "-s", "CLIP=1,Clop=1")):
        done = run(*arguments, "--models-dir", models)
        assert done.code != 0 and "Clop" in done.err and "CLIP" in done.err


@pytest.mark.parametrize("wanted", ["CLIP=x", "CLIP=1,CLIP=2", "CLIP=1@mean", "CLIP=0", "blend:none"])
def test_what_is_no_blend_is_a_mistake_of_the_command_line(run, models, outputs, wanted):
    assert run("score", outputs, "-s", wanted, "--models-dir", models).code == 2


def test_ranking_across_prompts_is_warned_of_where_authors_advise_against_it(run, models, outputs):
    save_picture(outputs / "other.png", (1, 2, 3), "a dog" + SETTINGS)
    warned = run("rank", outputs, "-s", "HPSv2", "--models-dir", models)
    assert "different prompts" in warned.err and "--within prompt" in warned.err
    quiet = run("rank", outputs, "-s", "HPSv2", "--models-dir", models, "--within", "prompt")
    assert "different prompts" not in quiet.err


def test_the_page_shows_what_other_scorers_say(run, models, outputs, tmp_path):
    page = tmp_path / "page.html"
    rows = run(
        "score", outputs, "-s", "demo", "--also", "CLIP", "--models-dir", models, "-f", "json", "--html", page
    ).rows
    text = page.read_text(encoding="utf-8")
    assert all(f"CLIP {row['beside']['CLIP']:.4g}" in text for row in rows)


def test_models_lists_every_scorer_with_what_is_missing(run, models):
    listed = json.loads(run("models", "list", "--models-dir", models, "-f", "json").out)
    assert {fact["id"] for fact in listed} >= {
        "CLIP",
        "BLIP",
        "Aesthetic",
        "PickScore",
        "HPSv2",
        "HPSv2.1",
        "MPS",
    }
    assert all(fact["found"] for fact in listed if fact["scores_pictures"])


@pytest.mark.parametrize("name", ["CLIP", "BLIP", "Aesthetic", "PickScore", "HPSv2.1", "MPS"])
def test_verify_knows_the_layout_of_every_scorer(run, models, name):
    assert run("models", "verify", name, "--models-dir", models).code == 0
    other = models / ("CLIP" if name == "Aesthetic" else "Aesthetic")
    wrong = next(other.glob("*.safetensors"))
    target = next((models / name).glob("*.safetensors"))
    target.write_bytes(wrong.read_bytes())
    assert run("models", "verify", name, "--models-dir", models).code != 0
