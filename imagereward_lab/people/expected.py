"""The agreement that annotators of known reliability must have, by computation: what Table 1 of arXiv 2304.05977 has to find."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from imagereward_core.scores import FloatArray

from .annotator import Odds


def agreement(one: Odds, two: Odds) -> float:
    """Of the pairs about which both choose, the share they are expected to choose alike; their errors are independent.

    >>> sure = Odds(np.array([1.0]), np.array([0.0]))
    >>> agreement(sure, Odds(np.array([0.75]), np.array([0.25])))
    0.75
    """
    same = one.first * two.first + one.second * two.second
    both = (one.first + one.second) * (two.first + two.second)
    return float(same.sum() / both.sum())


def majority(voters: Sequence[Odds]) -> Odds:
    """The odds of what most of them choose; where as many are for the one as for the other there is no choice.

    >>> toss = Odds(np.array([0.5]), np.array([0.5]))
    >>> majority([toss, toss]).first.tolist()
    [0.25]
    """
    number = len(voters)
    # How likely each lead of the first picture is, from -V to V: [2 V + 1, P].
    leads: FloatArray = np.zeros((2 * number + 1, len(voters[0].first)))
    leads[number] = 1.0
    for each in voters:
        moved = leads * (1.0 - each.first - each.second)
        moved[1:] += leads[:-1] * each.first
        moved[:-1] += leads[1:] * each.second
        leads = moved
    return Odds(leads[number + 1 :].sum(axis=0), leads[:number].sum(axis=0))


def joined(parts: Sequence[Odds]) -> Odds:
    """The odds for the pairs of several tasks, one after another."""
    return Odds(
        np.concatenate([each.first for each in parts]), np.concatenate([each.second for each in parts])
    )


def table_of_agreement(
    annotators: Sequence[Odds], researchers: Sequence[Odds] = (), scorer: Odds | None = None
) -> dict[tuple[str, str], float]:
    """The cells of Table 1, by the names of ``evaluation.people``, where everybody ranks the same pictures.

    Args:
        annotators: At least two.
        researchers: Those the others are measured against.
        scorer: A scorer, whose row is called ``scorer``.
    """
    together = majority(annotators)
    others = [majority([*annotators[:at], *annotators[at + 1 :]]) for at in range(len(annotators))]
    couples = {
        ("researcher", "researcher"): list(combinations(researchers, 2)),
        ("researcher", "annotator"): [(one, two) for one in researchers for two in annotators],
        ("researcher", "ensemble"): [(one, together) for one in researchers],
        ("annotator", "annotator"): list(combinations(annotators, 2)),
        ("annotator", "ensemble"): list(zip(annotators, others)),
    }
    if scorer is not None:
        couples["scorer", "researcher"] = [(scorer, each) for each in researchers]
        couples["scorer", "annotator"] = [(scorer, each) for each in annotators]
        couples["scorer", "ensemble"] = [(scorer, together)]
    return {
        names: float(np.mean([agreement(*couple) for couple in each]))
        for names, each in couples.items()
        if each
    }
