"""What is said of every person is what counting gives, and agreement is what simulated annotators must have."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from imagereward_lab.annotation.analysis.answers import collect
from imagereward_lab.annotation.analysis.measure import analyse
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.evaluation import people as module
from imagereward_lab.figures.estimates import IntervalOptions
from imagereward_lab.people.annotator import Annotator, odds
from imagereward_lab.people.expected import joined, table_of_agreement
from imagereward_lab.people.scenes import ranked, scene_task
from tests.support.lab.annotations import annotations

OPTIONS = IntervalOptions(resamples=200)


def analysed(rankings, researchers=(), options=OPTIONS):
    found = analyse(collect(rankings), options, researchers=researchers)
    rows = {(row["section"], row["measure"], row["scorer"], row["against"]): row for row in found.figures}
    return rows, {section.key: section for section in found.sections}, found


def agreement(rankings, one, others):
    """How often somebody chooses like most of the others, counted pair by pair."""
    by = {(each.annotator, each.prompt): each.ranks for each in rankings}
    agreed = of = 0
    for prompt in {each.prompt for each in rankings}:
        own = by[one, prompt]
        for i, j in itertools.combinations(range(len(own)), 2):
            votes = sum(np.sign(by[who, prompt][j] - by[who, prompt][i]) for who in others)
            if own[i] != own[j] and votes:
                of += 1
                agreed += (votes > 0) == (own[i] < own[j])
    return agreed / of


def test_every_person_is_counted_one_by_one():
    names = ("ann", "bob", "cleo")
    some = annotations(30, names, noise=1.2, pictures=4)
    strict = [
        replace(each, ratings=tuple({"overall": max(1.0, mark["overall"] - 1)} for mark in each.ratings))
        if each.annotator == "bob"
        else each
        for each in some
    ]
    found, _, _ = analysed(strict[:-1])
    marks = {
        (each.annotator, each.prompt, at): mark["overall"]
        for each in strict[:-1]
        for at, mark in enumerate(each.ratings)
    }
    whole = [each for each in strict if each.prompt != strict[-1].prompt]
    pairs = strict[:-1]
    for name in names:
        others = [each for each in names if each != name]
        answers = [each for each in pairs if each.annotator == name]
        assert found["people", "answers", name, ""]["value"] == len(answers)
        assert found["people", "prompts", name, ""]["value"] == len(answers)
        row = found["people", "median seconds", name, ""]
        assert row["value"] == np.median([each.seconds for each in answers])
        above = []
        for (who, prompt, at), mark in marks.items():
            rest = [marks[other, prompt, at] for other in others if (other, prompt, at) in marks]
            if who == name and rest:
                above.append(mark - np.mean(rest))
        row = found["people", "overall rating above that of the others", name, ""]
        assert row["value"] == pytest.approx(np.mean(above)) and row["count"] == len(above)
        assert row["low"] <= row["value"] <= row["high"]
    assert found["people", "overall rating above that of the others", "bob", ""]["value"] < -0.5
    found, _, _ = analysed(whole)
    for name in names:
        others = [each for each in names if each != name]
        like = [agreement(whole, name, [other]) for other in others]
        row = found["people", "agreement with each of the others", name, ""]
        assert row["value"] == pytest.approx(np.mean(like)) and row["count"] == 2
        row = found["people", "agreement with the ensemble of the others", name, ""]
        assert row["value"] == pytest.approx(agreement(whole, name, others))
        assert row["low"] < row["value"] < row["high"]


def test_agreement_of_simulated_annotators_is_what_follows_from_their_noise():
    """The table's intervals of 99 % hold what computation says, researchers and all."""
    people = [Annotator(name=f"a{n}", noise=noise, step=0.5) for n, noise in enumerate((0.5, 0.8, 1.2))]
    experts = [Annotator(name=f"r{n}", noise=0.4, step=0.5) for n in range(2)]
    tasks = [scene_task(number, size=8)[0] for number in range(60)]
    found, sections, _ = analysed(
        ranked(tasks, [*people, *experts], 1), ("r0", "r1"), IntervalOptions(resamples=500, confidence=99)
    )
    odds_of = {
        each.name: joined([odds(each, task.qualities, task.kinds) for task in tasks])
        for each in (*people, *experts)
    }
    wanted = table_of_agreement(
        [odds_of[each.name] for each in people], [odds_of[each.name] for each in experts]
    )
    assert len(wanted) == 5
    for (one, two), share in wanted.items():
        row = found["agreement", "agreement", one, two]
        assert row["low"] <= share <= row["high"], (one, two)
    assert "scorer" not in sections["agreement"].lead and sections["people"].tables[0].rows[-1][0].endswith(
        ")"
    )


def test_who_is_a_researcher_in_a_project_is_one_here():
    some = annotations(12, ("ann", "bob", "cleo"))
    same = [replace(each, extra={"role": "researcher"}) if each.annotator == "bob" else each for each in some]
    named, _, _ = analysed(some, ("bob",))
    found, sections, _ = analysed(same)
    assert found == named != analysed(some)[0]
    assert any(row[0] == "bob (researcher)" for row in sections["people"].tables[0].rows)


def test_one_person_and_nobody_are_told_apart():
    _, sections, found = analysed(annotations(3))
    assert not {"agreement", "alpha"} & sections.keys() and "people" in sections
    assert any("by one person, ann" in text for text in found.warnings)
    _, sections, found = analysed([replace(each, annotator="") for each in annotations(3)])
    assert "people" not in sections and any("has a name" in text for text in found.warnings)
    apart = [*annotations(3), *(replace(each, prompt="q", annotator="bob") for each in annotations(1))]
    _, sections, found = analysed(apart)
    assert "agreement" not in sections and any(
        "answered by several people" in text for text in found.warnings
    )


def test_more_people_than_can_be_compared_are_counted(monkeypatch):
    monkeypatch.setattr(module, "MOST_VOTERS", 3)
    some = annotations(12, tuple("abcde"), pictures=3)
    more = [Ranking("p", ("x", "y"), (1, 2), annotator=who) for who in "cde"]
    _, sections, _ = analysed([*some, *more])
    assert any("2 further voters left out" in text for text in sections["agreement"].sentences)
    shown = {row[0]: row[3] for row in sections["people"].tables[0].rows}
    assert shown["a"] == shown["b"] == "-" != shown["c"]
