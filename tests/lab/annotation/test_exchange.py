"""Answers out and in: round trips are equal to the last byte, and what a page would refuse an import refuses too."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from PIL import Image

from imagereward_lab.annotation.exchange.imagerewarddb import write_imagerewarddb
from imagereward_lab.annotation.exchange.imports import import_rankings
from imagereward_lab.annotation.exchange.label_studio import label_config, write_label_studio
from imagereward_lab.annotation.exchange.rankings import rankings_of
from imagereward_lab.annotation.store import people
from imagereward_lab.annotation.store.tasks import all_tasks
from imagereward_lab.data.images import ImageSource
from imagereward_lab.data.jsonl import write_rankings
from imagereward_lab.data.notes import Notes
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.data.readers import open_rankings
from tests.support.lab.annotation import Clock, add, answer_to, make_project, new_tasks, open_service

MODES = ["protocol", "best-worst", "top-picks", "per-generator", "quick"]


def answered(folder, mode, images=4):
    """A project of a mode in which three people have answered, one of them a researcher."""
    sources = mode in ("top-picks", "per-generator")
    tasks = new_tasks(3, images, mode=mode, people=3, tests=mode == "protocol", sources=sources)
    service = open_service(make_project(folder, tasks, mode=mode, people=3, questions=1.0), Clock())
    rng = random.Random(7)
    for name, role in (("zoe", "annotator"), ("ann", "annotator"), ("Ünal", "researcher")):
        person, _ = add(service, name, role)
        while (task := service.next(person).task) is not None:
            answer = answer_to(task, rng)
            assert service.submit(person, task.id, answer, rng.choice([None, 12.5])) == []
    person, _ = add(service, "quick one")
    while (question := service.question(person)) is not None:
        winner = rng.choice([None, question.images[0].id])
        service.answer(person, question.id, winner, 1.25)
        service.clock.now += 1
    return service


def exported(service):
    found = service.project.database.read(lambda connection: list(rankings_of(connection)))
    assert found
    return found


def empty(folder, mode):
    return open_service(make_project(folder, [], mode=mode, people=3), Clock())


def write(form, path, service):
    if form == "jsonl":
        write_rankings(path, exported(service))
    else:
        write_label_studio(path, exported(service))
    return path.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "label-studio"])
@pytest.mark.parametrize("mode", MODES)
def test_out_in_and_out_again_is_equal_to_the_last_byte(tmp_path, mode, form):
    one, two = answered(tmp_path / "one", mode), empty(tmp_path / "two", mode)
    first = tmp_path / ("one.jsonl" if form == "jsonl" else "one.json")
    data = write(form, first, one)
    read = open_rankings(first)
    assert read.format == form and not read.left_out
    for _ in range(2):  # a second time adds nothing
        done = import_rankings(two.project, read.rankings, two.project.images, 0.0)
        notes = [str(note) for note in done.left_out]
        assert all("that stays" in note for note in notes) and (mode == "quick" or not notes)
    assert write(form, tmp_path / f"two{first.suffix}", two) == data
    for each in (one, two):
        each.close()


def test_imagerewarddb_out_in_and_out_again_is_equal_to_the_last_byte(tmp_path):
    one = answered(tmp_path / "one", "protocol")
    names = dict.fromkeys(name for ranking in exported(one) for name in ranking.images)
    for number, name in enumerate(names):
        path = one.project.images / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (number, 0, 0)).save(path)
    notes = Notes()
    first, second = tmp_path / "db", tmp_path / "again"
    # Of the three prompts one is the test, which only the researcher was given.
    assert write_imagerewarddb(first, exported(one), ImageSource(one.project.images), notes) == 7
    assert not len(notes)
    read = open_rankings(first)
    assert read.format == "imagerewarddb" and len(read) == 7 and not read.left_out
    two = empty(tmp_path / "two", "protocol")
    two.project.images = first
    done = import_rankings(two.project, read.rankings, first, 0.0)
    assert (done.added, done.tasks, len(done.left_out)) == (7, 3, 0)
    write_imagerewarddb(second, exported(two), ImageSource(first), notes)
    files = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert files == {
        path.relative_to(second): path.read_bytes() for path in second.rglob("*") if path.is_file()
    }
    records = json.loads(files[next(name for name in files if name.name == "train_1.json")])
    categories = {ranking.category for ranking in exported(one)}
    assert {record["classification"] for record in records} == {
        " ".join(word.capitalize() for word in name.split("_")) for name in categories
    }
    for each in (one, two):
        each.close()


def test_what_a_page_refuses_an_import_refuses_with_the_same_sentence(tmp_path):
    one, two = answered(tmp_path / "one", "protocol"), empty(tmp_path / "two", "protocol")
    path = tmp_path / "rankings.jsonl"
    write_rankings(path, exported(one))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["ranks"] = [1, 1, 1, 1]
    lines[1]["ratings"][0]["overall"] = 9
    del lines[2]["intent_unclear"]
    lines[3]["images"][0] = "../outside.png"
    lines[4]["mode"] = "quick"
    lines[5]["missing"] = "no list"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = import_rankings(two.project, open_rankings(path).rankings, two.project.images, 0.0)
    reasons = [note.reason for note in done.left_out]
    assert done.added == len(lines) - 5
    assert "Slot 1 holds 4 pictures (1, 2, 3, 4); at most two may share one." in reasons[0]
    assert "Picture 1 has 9" in reasons[1]
    assert reasons[2].startswith("Say whether it is clear what the prompt wants. (and")
    assert "leads out of the folder" in reasons[3]
    assert "found an answer of mode 'quick'" in reasons[4]
    for each in (one, two):
        each.close()


def test_rankings_of_others_come_in_where_somebody_says_what_they_leave_unsaid(tmp_path):
    service = empty(tmp_path, "protocol")
    line = {
        "prompt": "a fox",
        "images": ["a.png", "b.png", "c.png", "d.png"],
        "ranks": [1, 2, 7, 9],
        "category": "World Knowledge",
        "ratings": [{"overall": 5.0, "alignment": 5, "fidelity": 5}] * 4,
    }
    path = tmp_path / "rankings.jsonl"
    path.write_text(json.dumps(line) + "\n")
    rankings = open_rankings(path).rankings
    assert import_rankings(service.project, rankings, service.project.images, 0.0).added == 0
    assert import_rankings(service.project, rankings, service.project.images, 0.0, fill=True).added == 1
    (found,) = exported(service)
    assert (found.ranks, found.category, found.annotator) == ((1, 2, 3, 4), "world_knowledge", "imported")
    service.close()


def test_the_interface_for_label_studio_names_the_controls_that_are_read():
    from xml.etree import ElementTree

    root = ElementTree.fromstring(label_config())
    names = {each.get("name") for each in root.iter() if each.get("name")}
    assert {
        "category",
        "intent",
        "prompt_problems",
        "phrases",
        "overall_{{idx}}",
        "missing_{{idx}}",
        "ranking",
    } <= names
    assert [each.get("name") for each in root.iter("Bucket")] == ["1 best", "2", "3", "4", "5 worst"]


def test_stars_become_answers_of_quick_mode_and_equal_stars_are_no_ties(tmp_path):
    from imagereward_lab.annotation.exchange.rankings import comparisons_of
    from imagereward_lab.data.ranking import Ranking

    stars = Ranking("a fox", ("a", "b", "c"), (1, 2, 2), coarse=True)
    assert [(each.images, each.winner) for each in comparisons_of(stars)] == [((0, 1, 2), 0)]
    said = Ranking("a fox", ("a", "b", "c"), (1, 2, 2))
    assert [(each.images, each.winner) for each in comparisons_of(said)] == [((0, 1, 2), 0), ((1, 2), None)]


def test_a_picture_that_two_scorers_picked_counts_for_both(tmp_path):
    from imagereward_core.metrics.wins import win_counts

    counts = win_counts([1, 2, 3], ["A | B", "B", "C"], shared=True)
    assert counts == {("A", "B"): (1, 0, 0), ("A", "C"): (1, 0, 0), ("B", "C"): (2, 0, 0)}
    assert win_counts([1, 2], ["A | B", "B"]) == {("A | B", "B"): (1, 0, 0)}  # a generator may be called so


def test_what_is_left_out_of_an_import_leaves_nothing_behind_and_the_rest_goes_on(tmp_path):
    here = empty(tmp_path, "quick")
    names = ("0/0.png", "0/1.png")
    good = Ranking("a red star", names, annotator="ann", best=0)
    bad = [
        replace(good, prompt="half \ud800"),
        replace(good, annotator="nobody\0"),
        replace(good, images=("0/0.png", "\udcff.png")),
        replace(good, sources=("", "a\0")),
        replace(good, prompt="new", extra={"task": "\ud83d"}),
        replace(good, prompt="new", images=("0/0.png",)),
        replace(good, prompt="new", annotator="x" * 200),
    ]
    done = import_rankings(here.project, [*bad, good], here.project.images, 1.0)
    assert (done.added, done.tasks, done.left_out.total) == (1, 1, len(bad)), list(done.left_out)
    tasks = here.project.database.read(all_tasks)
    assert [task.prompt for task in tasks] == ["a red star"] and tasks[0].names == names
    assert [each.name for each in here.project.database.read(people.everybody)] == ["ann"]
    here.close()
