"""Results as rows: one per picture, the same fields in every form of output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...report.rows import JudgedRow as Row
from ...report.rows import PictureFacts, bare_reason, judged_fields
from ...scores import Scores
from ...selection import Selection
from ..batches import Scored


def make_rows(scored: Scored, selection: Selection, explain: bool) -> list[Row]:
    """All rows, in input order; with ``explain`` a scored picture gets the selection's reason, as one without a score always does."""
    rows = []
    facts = PictureFacts(scored.scores, selection)
    for fact, each, prompt in zip(facts, scored.inputs, scored.prompts, strict=True):
        rows.append(
            Row(
                file=each.name,
                reason=bare_reason(fact, each.name, explain),
                prompt_written=prompt.written,
                prompt_source=prompt.source,
                notes="; ".join(prompt.notes),
                disputed=scored.disputed.get(fact.index, ""),
                **judged_fields(scored.scores, fact, scored.beside, each.name),
            )
        )
    return rows


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
