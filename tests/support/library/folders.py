"""Rows of a library and what a panel found about them, for the tests of exports and reports."""

from __future__ import annotations

from pathlib import Path

from imagereward_core.library.store.records import Generated, Row
from imagereward_core.metrics.agreement import Disagreement
from imagereward_core.scorers.panel import PanelResult
from tests.support.library.reports import make_scores

FOLDER = Path("/pictures, 写真") if Path("/").drive == "" else Path("C:/pictures, 写真")


def make_row(number: int, name: str = "", stars: int | None = None, **generated) -> Row:
    """A file of a library; keywords go to how it was made."""
    made = {"written": "a (cat:1.2)", "prompt": "a cat", "origin": "metadata", "generator": "a1111"}
    return Row(
        file=number,
        path=FOLDER / (name or f"{number}.png"),
        content=f"{number:064x}",
        width=832,
        height=1216,
        size=1_500_000 + number,
        modified_ns=1_700_000_000_123_456_789,
        generated=Generated(**{**made, **generated}),
        stars=stars,
        fingerprint=None if number == 0 else 2**64 - number,
    )


def make_result(values: list[float], prompts: list[str] | None = None, **beside: list[float]) -> PanelResult:
    """Scores that decide, and by keyword those of other scorers."""
    from dataclasses import replace

    return PanelResult(
        main=make_scores(values, prompts),
        beside=tuple(replace(make_scores(each, prompts), scorer=name) for name, each in beside.items()),
        disagreements=(Disagreement(0, 0.9, "one says best, other says worst"),) if beside else (),
    )
