"""Ranking and filtering: pure functions over Scores. Nothing here touches a picture or a file."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from .records import record
from .settings import check, setting

if TYPE_CHECKING:
    from .scores import IntArray, Scores, Within


@record(frozen=True)
class Rule:
    """Which pictures to keep. Every condition that is set must hold; without any condition every scored picture is kept.

    :func:`select` takes other groups than those of ``within``, such as folders, as labels.
    """

    top_k: int | None = setting(None, "Keep at most this many of the best", low=0, shown=(0, 4096), unset=0)
    top_percent: float | None = setting(
        None,
        "Keep at most this share of the best, rounded up to whole pictures",
        low=0,
        high=100,
        unit="percent",
        unset=100,
    )
    min_score: float | None = setting(
        None,
        "Keep pictures with at least this score; the number depends on the scorer",
        shown=(-1000, 1000),
        step=0.01,
        unset=-1000,
    )
    min_percentile: float | None = setting(
        None,
        "Keep pictures that are better than this share of the scorer's published reference scores, for scorers that have some",
        low=0,
        high=100,
        unit="percent",
        unset=0,
    )
    keep_at_least: int = setting(
        0, "Keep this many of the best whatever the other conditions say", low=0, shown=(0, 4096)
    )
    within: Within = setting(
        "all", "Counts and shares over all pictures, or for each prompt", choices=("all", "prompt")
    )

    def __post_init__(self) -> None:
        check(self)


@record(frozen=True)
class Labels:
    """Groups of pictures that compete, where these are not the prompts: a label per picture, and what a group is called in reasons."""

    of: Sequence[Hashable]
    kind: str = "group"


@record(frozen=True, eq=False)
class Selection:
    """The pictures a rule kept and rejected, with reasons.

    Attributes:
        order: Indexes of all pictures from best to worst, int64 [N]; pictures without a score come last.
        kept, rejected: Indexes of those kept and of the others, best first, int64 [K] and [N - K].
        reasons: For every picture, in input order, why it was kept or rejected.
    """

    order: IntArray
    kept: IntArray
    rejected: IntArray
    reasons: tuple[str, ...]


def select(
    scores: Scores, rule: Rule | None = None, labels: Labels | None = None, remark: str = ""
) -> Selection:
    """Applies ``rule``, by default keeping all that has a score. Ties keep input order; a picture without a score is never kept.

    A reason says among which pictures its rank holds wherever these are not all; equal scores share a rank, as in ``Scores.ranks``.
    ``labels`` are groups to use instead of those of ``rule.within``; ``remark`` is what reasons add about the pictures that compete,
    such as "without look-alikes".

    Raises:
        ValueError: The rule asks for percentiles and the scores have no reference distribution, or there is not one label per score.
    """
    import numpy as np

    from .scores import grouped

    rule = rule or Rule()
    if labels is not None and len(labels.of) != len(scores):
        raise ValueError(f"{len(labels.of)} labels for {len(scores)} scores; expected one per score")
    if rule.min_percentile is not None and scores.distribution is None:
        raise ValueError(
            f"min_percentile is set, but {scores.scorer} scores made this way have no reference distribution to read percentiles "
            "against; use min_score, top_k or top_percent"
        )
    reasons = ["" for _ in range(len(scores))]
    keep = np.zeros(len(scores), dtype=bool)
    percentiles = scores.percentiles()
    group = labels.kind if labels else "prompt" if rule.within == "prompt" else ""
    where = "".join(f" {words}" for words in (group and f"for its {group}", remark) if words)
    for members in grouped(labels.of) if labels else scores.groups(rule.within):
        scored = [
            int(i)
            for i in members[np.argsort(-scores.values[members], kind="stable")]
            if not math.isnan(scores.values[i])
        ]
        rank = 0
        for place, index in enumerate(scored, start=1):
            if not rank or scores.values[index] != scores.values[scored[place - 2]]:
                rank = place
            value, percentile = float(scores.values[index]), float(percentiles[index])
            why_not = _objection(rule, where, place, rank, len(scored), value, percentile)
            if why_not and place <= rule.keep_at_least:
                keep[index], reasons[index] = (
                    True,
                    f"kept: among the best {rule.keep_at_least}{where} (otherwise {why_not})",
                )
            else:
                keep[index] = not why_not
                reasons[index] = (
                    f"rejected: {why_not}" if why_not else f"kept: rank {rank} of {len(scored)}{where}"
                )
    for index, reason in scores.failures.items():
        reasons[index] = f"rejected: no score ({reason})"
    order = scores.order()
    return Selection(
        order=order, kept=order[keep[order]], rejected=order[~keep[order]], reasons=tuple(reasons)
    )


def _objection(
    rule: Rule, where: str, place: int, rank: int, scored: int, value: float, percentile: float
) -> str:
    """Why a picture fails the rule; empty where it passes.

    ``place``, and ``rank`` that equal scores share, are counted from 1 among the ``scored`` pictures that ``where`` names in words.
    """

    def beyond(most: int, standing: str, named: str) -> str:
        shared = ", which it shares with pictures before it," if rank <= most else ""
        return f"{standing}{where}{shared} is beyond the best {named}"

    if rule.top_k is not None and place > rule.top_k:
        return beyond(rule.top_k, f"rank {rank}", f"{rule.top_k}")
    if rule.top_percent is not None:
        # Without the rounding, 7 % of 100 would be 8 pictures, because 0.07 * 100 is 7.000000000000001.
        share = math.ceil(round(rule.top_percent * scored / 100, 9))
        if place > share:
            return beyond(share, f"rank {rank} of {scored}", f"{rule.top_percent:g} %")
    if rule.min_score is not None and value < rule.min_score:
        return f"score {value:.4f} is below {rule.min_score:g}"
    if rule.min_percentile is not None and percentile < rule.min_percentile:
        return f"percentile {percentile:.1f} is below {rule.min_percentile:g}"
    return ""
