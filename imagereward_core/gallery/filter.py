"""Filters a scored folder: what is shown and what is kept. Pure functions over rows of the library and their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from ..library.curate.options import DISTANCE, CurationRule, Per
from ..library.curate.rules import judge
from ..selection import Rule, Selection
from ..settings import settings_of

if TYPE_CHECKING:
    from ..library.curate.rules import Verdicts
    from ..library.store.records import Row
    from .view import View

Show = Literal["kept", "rejected", "all", "failed"]
Sort = Literal["best", "worst", "name", "newest"]
_RULE = settings_of(Rule)


@dataclass(frozen=True)
class Filter:
    """The filter somebody chose: what to keep, by the rules of the library (100 percent, 0 of a number: no limit), and what to see.

    ``unique`` keeps of pictures that look the same only the best; ``text`` shows only those with it in name or prompt, in any letter case,
    ``least_stars`` those with so many stars of a person, and ``folder`` those in this folder of the folder and below, written with slashes.
    """

    show: Show = "all"
    sort: Sort = "best"
    minimum: float | None = None
    maximum: float | None = None
    top_percent: float = _RULE["top_percent"].value
    top: int = _RULE["top_k"].value
    per: Per = "all"
    unique: bool = False
    keep_stars: int = 0
    text: str = ""
    least_stars: int = 0
    folder: str = ""

    def __post_init__(self) -> None:
        if self.show not in get_args(Show) or self.sort not in get_args(Sort):
            raise ValueError(
                f"show is {self.show!r} and sort is {self.sort!r}; expected what the page offers"
            )

    def rule(self) -> CurationRule:
        """What it keeps, as the library's rules have it."""
        return CurationRule(
            conditions=Rule(
                top_k=_RULE["top_k"].given(self.top),
                top_percent=_RULE["top_percent"].given(self.top_percent),
                min_score=self.minimum,
            ),
            per=self.per,
            duplicate_bits=DISTANCE if self.unique else None,
            keep_stars=self.keep_stars or None,
            max_score=self.maximum,
        )


@dataclass(frozen=True, eq=False)
class Choice:
    """The result of a filter on a view: whether every picture is kept, and why; and places of the pictures to show, in their order."""

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


def choose(view: View, wanted: Filter, verdicts: Verdicts | None = None) -> Choice:
    """Applies a filter; ``verdicts`` are those of its rule on the view, where they are known.

    Raises:
        ValueError: A number is out of its range.
    """
    scores = view.result.main
    verdicts = verdicts or judge(view.rows, scores, wanted.rule(), view.homes)
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
    rows, least = view.rows, wanted.least_stars
    shown = [index for index in order if fits(index)]
    if wanted.folder:
        below = (view.folder / wanted.folder).parts
        shown = [index for index in shown if rows[index].path.parts[: len(below)] == below]
    if least:
        shown = [index for index in shown if (rows[index].stars or 0) >= least]
    if text:
        shown = [index for index in shown if _holds(rows[index], text)]
    return Choice(verdicts, tuple(_sorted(shown, view.rows, wanted.sort)))


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
