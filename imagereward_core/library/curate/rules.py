"""The rules of a curation: conditions by prompt, by folder or overall, near-duplicates, buckets, stars."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...metrics.percentile import percentiles
from ...scores import IntArray, Scores, grouped
from ...selection import Labels, Selection, select
from .buckets import REJECTED, Buckets, fill
from .near_duplicates import near_duplicates
from .options import KEPT, CurationRule, Per

if TYPE_CHECKING:
    from ..store.records import Row


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The verdict of the rule on every picture.

    Attributes:
        names: For every picture one of the rule's names; empty for a picture without a score, which stays where it is.
        selection: The same as kept and rejected, with the reasons.
        leaders: For every picture the best one that looks like it, int64 [N]; itself where there is none.
    """

    names: tuple[str, ...]
    selection: Selection
    leaders: IntArray


def judge(rows: Sequence[Row], scores: Scores, rule: CurationRule, folders: Sequence[Hashable]) -> Verdicts:
    """Applies ``rule``; what a person decided about a picture with a score outweighs it.

    A picture rejected by hand competes with no other; one kept by hand competes, and stays where it loses. ``scores`` and ``folders``, the
    folder each picture counts as part of, are in the order of ``rows``.

    Raises:
        ValueError: The lengths differ, or percentiles are asked for where there are none.
        BucketError: The same, for buckets.
    """
    if not len(rows) == len(scores) == len(folders):
        raise ValueError(
            f"{len(rows)} pictures, {len(scores)} scores and {len(folders)} folders; expected one of each"
        )
    labels = _labels(rule.per, scores, folders)
    has_score = ~np.isnan(scores.values)
    refused = has_score & np.array([row.decision is False for row in rows], dtype=bool)
    wanted = has_score & np.array([row.decision is True for row in rows], dtype=bool)
    scored = has_score & ~refused
    starred = np.array(
        [rule.keep_stars is not None and (row.stars or 0) >= rule.keep_stars for row in rows], dtype=bool
    )
    favoured = scored & (starred | wanted)
    leaders = np.arange(len(rows), dtype=np.int64)
    if rule.duplicate_bits is not None:
        best_first = [index for index in scores.order().tolist() if scored[index]]
        best_first.sort(key=lambda index: not favoured[index])
        leaders = near_duplicates(
            [row.fingerprint for row in rows], best_first, rule.duplicate_bits, labels.of if labels else None
        )
    leading = np.flatnonzero(scored & (leaders == np.arange(len(rows))))
    among = None if labels is None else Labels([labels.of[index] for index in leading.tolist()], labels.kind)
    missing = [
        words
        for words, number in (
            ("look-alikes", np.count_nonzero(scored) - len(leading)),
            ("those rejected by hand", np.count_nonzero(refused)),
        )
        if number
    ]
    remark = f"without {' and '.join(missing)}" if missing else ""
    chosen = select(scores.take(leading), rule.conditions, among, remark)
    names = [rule.names[-1] if has else "" for has in has_score.tolist()]
    reasons = [
        f"no score: {scores.failures[index]}" if index in scores.failures else ""
        for index in range(len(rows))
    ]
    for place, index in enumerate(leading.tolist()):
        reasons[index] = chosen.reasons[place]
    for index in np.flatnonzero(scored & (leaders != np.arange(len(rows)))).tolist():
        reasons[index] = _beaten(rows, scores, index, int(leaders[index]))
    keep = np.zeros(len(rows), dtype=bool)
    keep[leading[chosen.kept]] = True
    if rule.max_score is not None:
        for index in np.flatnonzero((keep | favoured) & (scores.values > rule.max_score)).tolist():
            keep[index] = False
            reasons[index] = f"rejected: score {scores.values[index]:.4f} is above {rule.max_score:g}"
    for index in np.flatnonzero(refused).tolist():
        reasons[index] = "rejected: by hand"
    for index in np.flatnonzero(favoured).tolist():
        why = "by hand" if wanted[index] else f"{rows[index].stars} stars given by hand"
        if not keep[index]:
            reasons[index] = f"kept: {why} (otherwise {reasons[index].partition(': ')[2]})"
        elif wanted[index]:
            reasons[index] = f"kept: {why} ({reasons[index].partition(': ')[2]})"
    keep |= favoured
    if rule.buckets:
        groups = [leading[members] for members in grouped(among.of)] if among else [leading]
        _into_buckets(rule.buckets, scores, groups, keep, favoured, names, reasons)
    else:
        for index in np.flatnonzero(keep).tolist():
            names[index] = KEPT
    order = scores.order()
    selection = Selection(order, order[keep[order]], order[~keep[order]], tuple(reasons))
    return Verdicts(tuple(names), selection, leaders)


def _labels(per: Per, scores: Scores, folders: Sequence[Hashable]) -> Labels | None:
    """The groups that compete; None for all with all."""
    if per == "prompt":
        return Labels(scores.prompts, "prompt")
    if per == "folder":
        return Labels(folders, "folder")
    return None


def _beaten(rows: Sequence[Row], scores: Scores, index: int, leader: int) -> str:
    """Why a near-duplicate is rejected."""
    how = "has as good a score" if scores.values[leader] == scores.values[index] else "scores higher"
    if scores.values[leader] < scores.values[index]:
        how = "somebody gave stars"
    return f"rejected: looks like {rows[leader].path.name}, which {how}"


def _into_buckets(
    buckets: Buckets,
    scores: Scores,
    groups: Sequence[IntArray],
    keep: np.ndarray,
    favoured: np.ndarray,
    names: list[str],
    reasons: list[str],
) -> None:
    """Names the buckets of kept pictures; takes those that meet no limit from ``keep``, unless a person favoured them."""
    filled = fill(buckets, scores, groups)
    for index in np.flatnonzero(keep).tolist():
        name = filled[index]
        if name == buckets.rest and favoured[index]:
            name = buckets.each[-1].name
        names[index] = name
        if name == buckets.rest:
            keep[index] = False
            reasons[index] = f"rejected: below the limit of {buckets.each[-1].name} ({buckets.by})"


def as_sorted(verdicts: Verdicts, names: Sequence[str]) -> Verdicts:
    """The verdicts with the names that pictures were sorted under before; an empty one leaves the verdict as it is."""
    new, reasons = list(verdicts.names), list(verdicts.selection.reasons)
    keep = np.zeros(len(new), dtype=bool)
    keep[verdicts.selection.kept] = True
    for index, name in enumerate(names):
        if name and verdicts.names[index]:
            new[index], keep[index] = name, name != REJECTED
            reasons[index] = f"{'kept' if keep[index] else 'rejected'}: it was sorted into {name}"
    order = verdicts.selection.order
    selection = Selection(order, order[keep[order]], order[~keep[order]], tuple(reasons))
    return Verdicts(tuple(new), selection, verdicts.leaders)


def ratings(verdicts: Verdicts, scores: Scores, rows: Sequence[Row]) -> list[int]:
    """XMP ratings: what a person gave, else -1 for a rejected picture, 1..5 for a kept one, 0 without a score.

    Stars go by the percentile in the scorer's reference distribution where it has one, else by the share of these pictures that score
    lower; a fifth is a star, see :func:`~imagereward_core.metadata.writing.stars_of`.
    """
    from ...metadata.writing.xmp import stars_of

    if scores.distribution is not None:
        shares = scores.percentiles()
    else:  # a single picture has no others to be compared with
        shares = percentiles(scores.values, scores.values, among=True)
        shares = np.where(np.isnan(shares) & ~np.isnan(scores.values), 50.0, shares)
    kept = set(verdicts.selection.kept.tolist())
    return [
        row.stars
        if row.stars is not None
        else stars_of(percentile, index in kept)
        if verdicts.names[index]
        else 0
        for index, (row, percentile) in enumerate(zip(rows, shares.tolist(), strict=True))
    ]
