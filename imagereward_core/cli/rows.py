"""Results as rows: one per picture, the same fields in every form of output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..library.report_cards import seen_part
from ..scores import Scores
from ..selection import Selection
from .pipeline import Scored


@dataclass(frozen=True)
class Row:
    """One picture; see ``ROWS`` in :mod:`.options` for what the fields mean."""

    file: str
    score: float | None
    percentile: float | None
    rank: int
    rank_in_prompt: int
    scored_in_prompt: int
    kept: bool
    reason: str
    prompt: str
    prompt_cut: str
    prompt_written: str
    prompt_source: str
    notes: str
    disputed: str
    beside: dict[str, float | None]

    @property
    def prompt_read(self) -> str:
        """The part of the prompt that the scorer has read."""
        return seen_part(self.prompt, self.prompt_cut)


def make_rows(scored: Scored, selection: Selection, explain: bool) -> list[Row]:
    """All rows, in input order.

    Args:
        scored: The scores.
        selection: What was kept.
        explain: Whether a scored picture gets the selection's reason; one without a score always has a reason.
    """
    scores = scored.scores
    ranks, within = scores.ranks(), scores.ranks("prompt")
    competing = _competing(scores)
    kept = {int(index) for index in selection.kept}
    return [
        Row(
            file=scored.inputs[index].name,
            score=_number(scores.values[index]),
            percentile=_number(percentile),
            rank=int(ranks[index]),
            rank_in_prompt=int(within[index]),
            scored_in_prompt=competing[index],
            kept=index in kept,
            reason=_reason(scored, selection, index, explain),
            prompt=scores.prompts[index],
            prompt_cut=scores.cut[index],
            prompt_written=scored.prompts[index].written,
            prompt_source=scored.prompts[index].source,
            notes="; ".join(scored.prompts[index].notes),
            disputed=scored.disputed.get(index, ""),
            beside={other.scorer: _number(other.values[index]) for other in scored.beside},
        )
        for index, percentile in enumerate(scores.percentiles().tolist())
    ]


def _reason(scored: Scored, selection: Selection, index: int, explain: bool) -> str:
    """Why there is no score, without the name that stands beside it anyway, or why the picture was kept or rejected."""
    if index in scored.scores.failures:
        return scored.scores.failures[index].removeprefix(f"{scored.inputs[index].name}: ")
    return selection.reasons[index].partition(": ")[2] if explain else ""


def _competing(scores: Scores) -> list[int]:
    """For every picture with a score, how many with the same prompt have one; 0 for the others."""
    competing = [0] * len(scores)
    for members in scores.groups("prompt"):
        scored = [int(index) for index in members if not math.isnan(scores.values[index])]
        for index in scored:
            competing[index] = len(scored)
    return competing


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def order_by_prompt(selection: Selection, scores: Scores) -> list[int]:
    """Indexes prompt by prompt in the order of first appearance, best first within each."""
    group = {
        int(index): number for number, members in enumerate(scores.groups("prompt")) for index in members
    }
    return sorted((int(index) for index in selection.order), key=lambda index: group[index])


def counts(rows: Sequence[Row]) -> dict[str, Any]:
    """How many pictures there are, how many have a score and how many are kept."""
    return {
        "pictures": len(rows),
        "scored": sum(row.score is not None for row in rows),
        "kept": sum(row.kept for row in rows),
    }
