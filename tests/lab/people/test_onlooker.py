"""Simulated people who look: their taste is what is written down, their answers fit what is asked, and they answer as real ones do."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random

import numpy as np
import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_lab.annotation.protocol.modes import MODES, faults_of
from imagereward_lab.people.answer import Visitor, fill_in, visit
from imagereward_lab.people.answer import main as answer
from imagereward_lab.people.onlooker import LOOKS, PeopleError, document, looks, read_people
from tests.support.lab.annotation_pages import drawn_project, served

ANN = {"name": "ann", "noise": 1e-3, "quality": 1.0, "likes": {"warmth": 2.0}}


def people(tmp_path, *given):
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"scorer": "demo", "people": list(given)}), encoding="utf-8")
    return path


def onlooker(tmp_path, **more):
    return read_people(people(tmp_path, {**ANN, **more}))[1]["ann"]


def alike(pictures, prompts):
    """An eye to which all pictures are equally good."""
    return np.zeros(len(pictures))


def test_what_can_be_liked_is_measured_on_pixels():
    square = Image.new("RGB", (10, 10), (0, 0, 255))
    square.paste((255, 255, 255), (2, 2, 7, 7))
    found = looks(square)
    assert found == pytest.approx({"warmth": -0.75, "lightness": 0.5, "fullness": 0.25})
    assert list(found) == list(LOOKS)


def test_quality_taste_and_errors_count_as_far_as_they_are_said_to(tmp_path):
    cold, plain, warm = (Image.new("RGB", (8, 8), each) for each in ("blue", "gray", "red"))
    shown = [plain, warm, cold]

    def known(pictures, prompts):
        assert prompts == ["a star"] * len(pictures)
        return np.array([3.0 if each.getpixel((0, 0)) == (0, 0, 255) else 0.0 for each in pictures])

    def ranks(judge=alike, **more):
        return onlooker(tmp_path, **more).ranks(shown, "a star", judge, 0)

    assert ranks() == (2, 1, 3) and ranks(likes={}, judge=known)[2] == 1
    assert ranks(judge=known) == (3, 1, 2)  # 2 for the red one, 3 - 2 for the blue one
    assert ranks(judge=known, quality=2.0) == (3, 2, 1)
    assert ranks(step=100.0, likes={"lightness": 1.0}) == (1, 1, 1)
    # Errors are those of the person, the prompt and the picture, however pictures are shown; another seed makes others.
    noisy = onlooker(tmp_path, noise=50.0)
    found = {
        tuple(
            np.argsort(
                [
                    noisy.ranks([shown[at] for at in order], "a star", alike, 4)[order.index(at)]
                    for at in range(3)
                ]
            )
        )
        for order in map(list, itertools.permutations(range(3)))
    }
    assert len(found) == 1
    assert len({noisy.ranks(shown, "a star", alike, seed) for seed in range(20)}) > 1


@pytest.mark.parametrize("mode", [name for name in MODES if name != "quick"])
def test_answers_fit_what_is_asked_for_any_ranks(mode):
    rng = random.Random(mode)
    for _ in range(150):
        images = [f"p{at}" for at in range(rng.randint(4, 9))]
        ranks = [rng.randint(1, rng.randint(1, len(images))) for _ in images]
        found = document(mode, images, ranks)
        assert faults_of(mode, found, "a star", images) == []
        slots = found.get("ranking")
        if slots is not None:
            place = {image: at for at, slot in enumerate(slots) for image in slot}
            assert all(
                place[one] <= place[two]
                for (one, first), (two, second) in itertools.permutations(zip(images, ranks), 2)
                if first < second
            )


def test_somebody_answers_all_tasks_of_a_served_project_after_their_taste(tmp_path, capsys):
    project = drawn_project(tmp_path, tasks=2, images=6)
    assert main(["annotate", "people", str(project), "add", "ann"]) == 0
    token = capsys.readouterr().out.strip()
    with served(project) as link:
        ann = onlooker(tmp_path)
        assert visit(Visitor(link, token), ann, alike, 0) == 2
        assert visit(Visitor(link, token), ann, alike, 0) == 0
        with pytest.raises(PeopleError, match="is the token right"):
            visit(Visitor(link, "another"), ann, alike, 0)
    assert main(["annotate", "export", str(project), "-o", str(tmp_path / "found.jsonl")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2
    for line in lines:
        warmth = [looks(Image.open(tmp_path / name))["warmth"] for name in line["images"]]
        wrong = [
            (one, two)
            for one, two in itertools.permutations(range(6), 2)
            if warmth[one] > warmth[two] and line["ranks"][one] > line["ranks"][two]
        ]
        assert not wrong


def test_a_panel_fills_in_the_table_of_a_blind_task(tmp_path, capsys):
    task = tmp_path / "task"
    task.mkdir()
    for name, colour in {
        "0001_a.png": "blue",
        "0001_b.png": "red",
        "0002_c.png": "red",
        "0002_d.png": "gray",
    }.items():
        Image.new("RGB", (64, 64), colour).save(task / name)
    rows = [
        ("a star", "0001_a.png"),
        ("a star", "0001_b.png"),
        ("a ring", "0002_c.png"),
        ("a ring", "0002_d.png"),
    ]
    with (task / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("prompt", "image", "rank", "annotator"), *((*row, "", "") for row in rows)]
        )
    ann = onlooker(tmp_path)
    found = list(csv.DictReader(io.StringIO(fill_in(task, [ann, ann], alike, 0))))
    assert [row["rank"] for row in found] == ["2", "1", "1", "2"] * 2
    assert [(row["prompt"], row["image"]) for row in found] == rows * 2
    # The command does the same with a real scorer; who is not there is told.
    known = people(tmp_path, {**ANN, "quality": 0.0})
    filled = tmp_path / "filled.csv"
    usual = ["--people", str(known), "--task", str(task), "-o", str(filled)]
    assert answer([*usual, "--who", "ann"]) == 0
    assert [row["rank"] for row in csv.DictReader(filled.open(encoding="utf-8"))] == ["2", "1", "1", "2"]
    assert answer([*usual, "--who", "bob"]) == 4
    assert "knows nobody called 'bob'; expected one of ann" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"people": []}',
        '{"scorer": "demo", "people": []}',
        '{"scorer": "demo", "people": [{"name": "ann", "noise": 0}]}',
    ]
    + ['{"scorer": "demo", "people": [{"name": "ann", "noise": 1, "likes": {"cats": 1}}]}'],
)
def test_a_file_that_is_none_of_people_is_refused(text, tmp_path):
    path = tmp_path / "people.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PeopleError, match="is no file of people"):
        read_people(path)
