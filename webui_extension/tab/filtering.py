"""What of a scored folder is shown, and which of its pictures are kept: pure, over rows of the library and their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from imagereward_core.library.rules import CurationRule, Per, judge
from imagereward_core.selection import Rule, Selection

if TYPE_CHECKING:
    from imagereward_core.library.records import Row
    from imagereward_core.library.rules import Verdicts

    from .view import View

Show = Literal["kept", "rejected", "all", "failed"]
Sort = Literal["best", "worst", "name", "newest"]

DUPLICATE_BITS = 6
"""Bits of 64 in which perceptual hashes of pictures that look the same may differ."""


@dataclass(frozen=True)
class Filter:
    """What somebody asked to keep and to see.

    Attributes:
        show: Which pictures to show.
        sort: In which order.
        minimum: Keep scores of at least this; None for no limit.
        maximum: Keep scores of at most this; None for no limit.
        top_percent: Keep at most the best so many percent; 100 for no limit.
        top: Keep at most so many; 0 for no limit.
        per: Whether shares and counts hold overall, for each prompt or for each folder.
        unique: Of pictures that look the same keep only the best.
        keep_stars: Keep pictures with at least so many stars whatever their score; 0 for no exception.
        text: Show only pictures with this in their name or prompt, in any letter case.
    """

    show: Show = "all"
    sort: Sort = "best"
    minimum: float | None = None
    maximum: float | None = None
    top_percent: float = 100.0
    top: int = 0
    per: Per = "all"
    unique: bool = False
    keep_stars: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        if self.show not in get_args(Show) or self.sort not in get_args(Sort):
            raise ValueError(
                f"show is {self.show!r} and sort is {self.sort!r}; expected what the page offers"
            )

    def rule(self) -> CurationRule:
        """The part of it that the library's rules know; the highest score is not among them."""
        return CurationRule(
            conditions=Rule(
                top_k=self.top or None,
                top_percent=self.top_percent if self.top_percent < 100 else None,
                min_score=self.minimum,
            ),
            per=self.per,
            duplicate_bits=DUPLICATE_BITS if self.unique else None,
            keep_stars=self.keep_stars or None,
        )


@dataclass(frozen=True, eq=False)
class Choice:
    """What a filter makes of a view.

    Attributes:
        verdicts: What becomes of every picture, and why.
        shown: Places of the pictures to show, in their order.
    """

    verdicts: Verdicts
    shown: Sequence[int] = field(default_factory=tuple)

    @property
    def selection(self) -> Selection:
        """Kept and rejected."""
        return self.verdicts.selection

    @cached_property
    def kept(self) -> frozenset[int]:
        """Places of the kept pictures."""
        return frozenset(self.selection.kept.tolist())


def choose(view: View, wanted: Filter) -> Choice:
    """Applies a filter.

    Raises:
        ValueError: A number is out of its range.
    """
    scores = view.result.main
    verdicts = judge(view.rows, scores, wanted.rule(), view.homes)
    if wanted.maximum is not None:
        verdicts = _below(verdicts, scores.values.tolist(), wanted, view.rows)
    kept = {int(index) for index in verdicts.selection.kept}
    failed = set(scores.failures)
    order = [int(index) for index in verdicts.selection.order]
    fits = {
        "kept": lambda index: index in kept,
        "rejected": lambda index: index not in kept and index not in failed,
        "all": lambda index: index not in failed,
        "failed": lambda index: index in failed,
    }[wanted.show]
    text = wanted.text.strip().casefold()
    shown = [index for index in order if fits(index) and (not text or _holds(view.rows[index], text))]
    return Choice(verdicts, tuple(_sorted(shown, view.rows, wanted.sort)))


def _below(verdicts: Verdicts, values: Sequence[float], wanted: Filter, rows: Sequence[Row]) -> Verdicts:
    """The verdicts with everything above the highest score rejected, but for what a person wants kept."""
    from imagereward_core.library.buckets import REJECTED

    old, maximum = verdicts.selection, wanted.maximum
    assert maximum is not None
    above = {int(index) for index in old.kept if values[int(index)] > maximum}
    if not above:
        return verdicts
    names, reasons = list(verdicts.names), list(old.reasons)
    for index in tuple(above):
        why, by_hand = f"score {values[index]:.4f} is above {maximum:g}", _by_hand(rows[index], wanted)
        if by_hand:
            above.remove(index)
            reasons[index] = f"kept: {by_hand} (otherwise {why})"
        else:
            names[index], reasons[index] = REJECTED, f"rejected: {why}"
    keep = [int(index) not in above for index in old.kept]
    stays = {int(index) for index in old.kept[keep]}
    rejected = old.order[[int(index) not in stays for index in old.order]]
    selection = replace(old, kept=old.kept[keep], rejected=rejected, reasons=tuple(reasons))
    return replace(verdicts, names=tuple(names), selection=selection)


def _by_hand(row: Row, wanted: Filter) -> str:
    """Why a person wants a picture kept, whatever its score; empty where nobody does."""
    if row.decision:
        return "by hand"
    return (
        f"{row.stars} stars given by hand"
        if wanted.keep_stars and (row.stars or 0) >= wanted.keep_stars
        else ""
    )


def _holds(row: Row, text: str) -> bool:
    return text in row.path.name.casefold() or text in row.generated.prompt.casefold()


def _sorted(shown: list[int], rows: Sequence[Row], sort: Sort) -> list[int]:
    if sort == "worst":
        return shown[::-1]
    if sort == "name":
        return sorted(shown, key=lambda index: str(rows[index].path).casefold())
    if sort == "newest":
        return sorted(shown, key=lambda index: -rows[index].modified_ns)
    return shown


def number_of_pages(shown: int, size: int) -> int:
    """How many pages there are; at least one."""
    return max(1, math.ceil(shown / max(1, size)))


def page_of(choice: Choice, page: int, size: int) -> tuple[int, ...]:
    """Places of the pictures of a page, pages counted from 0; a page beyond the last is the last."""
    page = min(max(0, page), number_of_pages(len(choice.shown), size) - 1)
    return tuple(choice.shown[page * size : (page + 1) * size])
