"""Every person by name: how much they did, how far they agree with the others, how strictly they rate, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from imagereward_core.metrics.voters import majority_of_others
from imagereward_core.scores import FloatArray, IntArray

from ...evaluation.people import Ballot, agreement_cell
from ...figures.document import Drawing, Figure, Section, Table, known
from ...figures.estimates import Estimate, Estimator, IntervalOptions
from .answers import Answers
from .groups import Group, Measures

MOST_PEOPLE = 200
"""So many people have intervals and stand in the table, those with most answers; of the others there are the figures alone."""
_MARKED = "overall"


def persons_section(
    answers: Answers, ballot: Ballot, options: IntervalOptions, researchers: Sequence[str] = ()
) -> Section | None:
    """The people; None where nobody has a name.

    Args:
        answers: What people said.
        ballot: Their choices between pictures that several of them saw.
        options: How intervals are made.
        researchers: Names of people who are shown as such.
    """
    if not answers.people:
        return None
    number = np.bincount(answers.person[answers.person >= 0], minlength=len(answers.people))
    order = sorted(range(len(answers.people)), key=lambda each: (-number[each], answers.people[each]))
    strictness = _strictness(answers)
    agreement = _agreement(ballot, options)
    figures: list[Figure] = []
    rows = []
    drawn: dict[str, Estimate] = {}
    for person in order[:MOST_PEOPLE]:
        name = answers.people[person]
        mine = answers.person == person
        prompts = len(np.unique(answers.prompt[mine]))
        others, ensemble = agreement.get(name, (Estimate(math.nan), Estimate(math.nan)))
        marks = strictness.get(person)
        higher = _higher(marks, options) if marks else Estimate(math.nan)
        middle, taken = _median(answers.seconds[mine])
        figures += [
            Figure(
                section="people",
                measure="answers",
                scorer=name,
                value=float(number[person]),
                count=int(number[person]),
                of="answers",
            ),
            Figure(
                section="people",
                measure="prompts",
                scorer=name,
                value=float(prompts),
                count=prompts,
                of="prompts",
            ),
        ]
        for measure, estimate, of in (
            ("agreement with each of the others", others, "people"),
            ("agreement with the ensemble of the others", ensemble, "pairs"),
            ("overall rating above that of the others", higher, "pictures"),
        ):
            if estimate.count:
                figures.append(Figure.made("people", measure, estimate, of, scorer=name))
        if taken:
            figures.append(
                Figure(
                    section="people",
                    measure="median seconds",
                    scorer=name,
                    value=known(middle),
                    count=taken,
                    of="answers",
                )
            )
        shown = f"{name} (researcher)" if name in researchers else name
        rows.append(
            (
                shown,
                f"{number[person]:,}",
                f"{prompts:,}",
                others.percent(),
                ensemble.percent(),
                higher.plain(2),
                f"{middle:.0f} s" if taken else "-",
            )
        )
        drawn[name] = ensemble
    further = len(order) - len(rows)
    compared = {name: each for name, each in drawn.items() if not math.isnan(each.value)}
    return Section(
        "people",
        "Every person",
        "Agreement: how often somebody chooses like another person, and like most of the others, in percent of the pairs of pictures "
        "that both "
        "order. Rates higher by: how much this person's overall ratings lie above those of the others for the same pictures, in marks; "
        "below 0 "
        "is stricter. Agreement far below everybody's is worth a talk, not a verdict: whoever is alone with good reasons looks the same.",
        [
            Table(
                (
                    "Person",
                    "Answers",
                    "Prompts",
                    "Like another",
                    "Like most",
                    "Rates higher by",
                    "Median time",
                ),
                rows,
            )
        ],
        figures,
        [f"And {further:,} more, with fewer answers."] if further else [],
        [_drawing(compared)] if len(compared) > 1 else [],
    )


def _drawing(found: dict[str, Estimate]) -> Drawing:
    title = "Agreement with most of the others"
    return Drawing(
        "bars",
        title,
        "",
        "% of pairs",
        list(found),
        {title: [100 * each.value for each in found.values()]},
        50.0,
        ends={title: [(100 * each.low, 100 * each.high) for each in found.values()]},
    )


def _agreement(ballot: Ballot, options: IntervalOptions) -> dict[str, tuple[Estimate, Estimate]]:
    """For every person how often they choose like each of the others, and like most of the others."""
    names = list(ballot.people)
    if len(names) < 2:
        return {}
    votes = np.array([ballot.people[name] for name in names], np.int8)
    estimator = Estimator(options, ballot.prompts)
    left = majority_of_others(votes)
    found = {}
    for at, name in enumerate(names):
        couples = [(votes[at], votes[other]) for other in range(len(names)) if other != at]
        found[name] = (
            agreement_cell(couples, estimator)[0],
            agreement_cell([(votes[at], left[at])], estimator)[0],
        )
    return found


def _strictness(answers: Answers) -> dict[int, tuple[IntArray, FloatArray]]:
    """For every person the prompts of the pictures that others rated too, and how far the own overall rating is above their mean."""
    values = answers.ratings.get(_MARKED)
    if values is None:
        return {}
    people, pictures = answers.row_person, answers.row_picture
    fit = ~np.isnan(values) & (people >= 0)
    if not fit.any():
        return {}
    # Who rated a picture twice counts once, with the mean.
    pairs, at = np.unique(np.stack([pictures[fit], people[fit]]), axis=1, return_inverse=True)
    at = at.reshape(-1)
    own = np.bincount(at, values[fit]) / np.bincount(at)
    size = len(answers.picture_prompt)
    total, number = np.bincount(pairs[0], own, minlength=size), np.bincount(pairs[0], minlength=size)
    several = number[pairs[0]] > 1
    picture, person, mine = pairs[0][several], pairs[1][several], own[several]
    above = mine - (total[picture] - mine) / (number[picture] - 1)
    return {
        each: (answers.picture_prompt[picture[person == each]], above[person == each])
        for each in np.unique(person).tolist()
    }


def _higher(marks: tuple[IntArray, FloatArray], options: IntervalOptions) -> Estimate:
    prompts, above = marks
    names, at = np.unique(prompts, return_inverse=True)
    measures = Measures.of({"": above}, at.reshape(-1), len(names))
    return measures.within(Group("", np.arange(len(names), dtype=np.int64)), options)[""]


def _median(seconds: FloatArray) -> tuple[float, int]:
    taken = seconds[~np.isnan(seconds)]
    return (float(np.median(taken)), len(taken)) if len(taken) else (math.nan, 0)
