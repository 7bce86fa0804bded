"""Checkpoints of a user's own in every command: their name, what is not known of them, and heads that tell nothing apart."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_core.library.watch.watcher import Watcher
from imagereward_core.scorers import engine
from imagereward_core.scorers.meaning import constant_warning
from tests.support.command import SETTINGS, save_picture
from tests.support.tiny import write_flat_checkpoint, write_own_checkpoint
from tests.support.tiny_registry import tiny_registry

COLOURS = [(200, 30, 30), (30, 30, 200), (20, 220, 90), (90, 90, 0), (250, 250, 250)]
NOTICE = "mine is a checkpoint of your own, not the published ImageReward-v1.0."
CARD = {"typical_range": [-50, 50], "distribution": {"source": "my pictures", "mean": 0, "std": 10}}


@pytest.fixture
def models(tmp_path, monkeypatch):
    tiny_registry(tmp_path / "models", monkeypatch)
    write_own_checkpoint(tmp_path / "models" / "mine.safetensors")
    return tmp_path / "models"


@pytest.fixture
def outputs(tmp_path):
    for number, colour in enumerate(COLOURS):
        save_picture(tmp_path / "outputs" / f"{number}.png", colour, "a cat" + SETTINGS)
    return tmp_path / "outputs"


@pytest.fixture
def unwatched(monkeypatch):
    """A watch that ends as soon as it has begun."""
    monkeypatch.setattr(Watcher, "run", lambda *_: None)


def make_flat(models):
    """Aesthetic with a head of zeros; nothing checks that when it is loaded."""
    (path,) = (models / "Aesthetic").glob("*.safetensors")
    save_file({name: torch.zeros_like(tensor) for name, tensor in load_file(path).items()}, path)


def commands(outputs, page, *options):
    """Every command that scores or shows numbers, with a page where it writes one."""
    return {
        "score": ("score", outputs, *options, "--html", page),
        "rank": ("rank", outputs, *options, "--top", "2", "--html", page),
        "curate": ("curate", outputs, *options, "--top", "2", "--html", page),
        "report": ("report", outputs, *options, "--html", page),
        "watch": ("watch", outputs, *options, "--top", "2", "--yes"),
    }


@pytest.mark.parametrize("command", ["score", "rank", "curate", "report", "watch"])
@pytest.mark.parametrize("flat", [False, True])
def test_every_command_and_its_page_say_what_must_be_known_of_the_scorers(
    run, models, outputs, tmp_path, unwatched, command, flat
):
    page = tmp_path / "page.html"
    if flat:
        make_flat(models)
    name, expected = ("Aesthetic", constant_warning("Aesthetic")) if flat else ("mine", NOTICE)
    place = ("-s", name, "--models-dir", models)
    if command in ("report", "watch"):  # the numbers of an earlier run are told of as well
        assert run("curate", outputs, *place, "--stay", "--write-back", "--dry-run").code == 0
    done = run(*commands(outputs, page, *place)[command])
    assert done.code == 0 and expected in done.out + done.err
    if command != "watch":
        assert expected in page.read_text(encoding="utf-8")


def test_the_plan_as_json_has_the_remarks(run, models, outputs):
    done = run("curate", outputs, "-s", "mine", "--top", "1", "--models-dir", models, "-f", "json")
    assert NOTICE in done.document["remarks"][0]


PERCENTILES = {
    "rank": ("--min-percentile", "10"),
    "curate": ("--min-percentile", "10"),
    "watch": ("--buckets", "great=90,good=50", "--yes"),
}


@pytest.mark.parametrize("command", PERCENTILES)
def test_percentiles_without_a_distribution_are_refused_before_anything_is_scored(
    run, models, outputs, monkeypatch, command
):
    monkeypatch.setattr(engine, "_run", lambda *_: pytest.fail("something was scored"))
    done = run(command, outputs, "-s", "mine", *PERCENTILES[command], "--models-dir", models)
    assert done.code == 2 and "no reference distribution of mine scores is known" in done.err


@pytest.mark.parametrize("options", [PERCENTILES["rank"], PERCENTILES["watch"][:2]])
def test_percentiles_of_stored_numbers_without_a_distribution_are_refused(run, models, outputs, options):
    run("curate", outputs, "-s", "mine", "--top", "1", "--models-dir", models)
    done = run("report", outputs, *options, "--models-dir", models)
    assert done.code == 2 and "no reference distribution of mine scores is known" in done.err


def test_its_own_card_counts_in_every_command_and_only_for_its_own_weights(run, models, outputs, tmp_path):
    place = ("-s", "mine", "--models-dir", models)
    (models / "mine.card.json").write_text(json.dumps(CARD), encoding="utf-8")
    rows = run("rank", outputs, *place, "--min-percentile", "0", "-f", "json").rows
    assert len(rows) == 5 and all(0 < row["percentile"] < 100 for row in rows)
    done = run("curate", outputs, *place, "--buckets", "great=50")
    assert done.code == 0 and "percentiles against my pictures" in done.out + done.err
    table = tmp_path / "rows.json"
    done = run("report", outputs, *place, "--min-percentile", "0", "--json", table)
    assert done.code == 0 and "typical scores from -50 to 50" in done.err
    stored = {row["file"]: row["percentile"] for row in json.loads(table.read_text())["rows"]}
    assert sorted(stored.values()) == pytest.approx(sorted(row["percentile"] for row in rows))
    write_own_checkpoint(models / "mine.safetensors", seed=6)  # the card speaks of these weights now
    done = run("report", outputs, *place, "--json", table, "--overwrite")
    assert "no percentiles and no typical scores" in done.err
    assert all(row["percentile"] is None for row in json.loads(table.read_text())["rows"])


@pytest.mark.parametrize("command", ["score", "rank", "curate"])
def test_a_head_that_the_weights_show_to_be_flat_is_refused(run, models, outputs, command):
    write_flat_checkpoint(models / "flat.safetensors")
    more = ("--top", "1") if command == "curate" else ()
    done = run(command, outputs, "-s", "flat", *more, "--models-dir", models)
    assert done.code == 3 and constant_warning("flat") in done.err


def test_models_and_doctor_list_it_with_what_is_known(run, models):
    path = models / "mine.safetensors"
    listed = {
        each["id"]: each for each in run("models", "list", "--models-dir", models, "-f", "json").document
    }
    mine = listed["mine"]
    assert (mine["found"], mine["size"]) == (str(path), path.stat().st_size)
    assert (mine["typical_range"], mine["licence"], mine["pinned"]) == (None, "not stated", "")
    table = next(
        line for line in run("models", "list", "--models-dir", models).out.splitlines() if "mine" in line
    )
    assert "not known" in table and path.name in table
    assert f"{path} (your own)" in run("doctor", "--models-dir", models).out
    assert not mine["flat_head"] and constant_warning("mine") not in run("doctor", "--models-dir", models).out


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_models_and_doctor_tell_a_flat_head(run, models, suffix):
    written = load_file(write_flat_checkpoint(models / "flat.safetensors"))
    if suffix == ".pt":
        torch.save(written, (models / "flat.safetensors").with_suffix(".pt"))
        (models / "flat.safetensors").unlink()
    listed = {
        each["id"]: each for each in run("models", "list", "--models-dir", models, "-f", "json").document
    }
    assert listed["flat"]["flat_head"] and not listed["mine"]["flat_head"]
    assert "gives every picture the same score" in run("models", "list", "--models-dir", models).out
    assert constant_warning("flat") in run("doctor", "--models-dir", models).out


def test_there_is_nothing_to_download_of_it(run, models):
    done = run("models", "download", "mine", "--models-dir", models, "--offline")
    assert done.code == 0 and f"{models / 'mine.safetensors'}; there is nothing to download" in done.err


def test_two_files_of_one_name_are_not_shown_as_one_scorer(run, models, outputs):
    write_own_checkpoint(models / "elsewhere" / "mine.safetensors", 9)
    done = run(
        "rank",
        outputs,
        "-s",
        "mine",
        "--also",
        models / "elsewhere" / "mine.safetensors",
        "--models-dir",
        models,
    )
    assert done.code == 3 and "both called mine" in done.err
