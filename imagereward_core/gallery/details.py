"""Everything known about one picture, for the column beside a page's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .filter import Choice
    from .view import View


@dataclass(frozen=True, kw_only=True)
class Details:
    """One picture.

    Attributes:
        meaning: What its score means, in sentences; empty without one.
        rank_in_prompt, scored_in_prompt: Its place among the pictures for its prompt, 1 is best; 0 without a score.
        reason: Why it is kept or rejected, or why it has no score.
        numbers: Of each other scorer its id and its number, or why there is none.
        texts: What is known of how it was made, as name and text, without those that are empty: ``prompt`` (as the scorer reads it),
            ``cut`` (not read, too long), ``written`` (where that is another text), ``negative``, ``model``, ``loras``, ``seed``, ``size``.
    """

    path: Path
    meaning: str
    rank_in_prompt: int
    scored_in_prompt: int
    kept: bool
    reason: str
    numbers: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]


def describe(view: View, choice: Choice, place: int) -> Details:
    """The details of the picture at a place among the view's rows."""
    from ..report.rows import PictureFacts
    from ..scorers.meaning import explain

    row, scores = view.rows[place], view.result.main
    fact = PictureFacts(scores, choice.selection)[place]
    meaning = ""
    if fact.rank:
        meaning = explain(
            view.card,
            fact.score,
            fact.rank,
            fact.scored,
            history=view.earlier,
            on_reference=scores.on_reference,
        )
    made = row.generated
    texts = (
        ("prompt", fact.seen),
        ("cut", fact.cut),
        ("written", made.written if made.written != made.prompt else ""),
        ("negative", made.negative),
        ("model", made.model),
        ("loras", ", ".join(made.loras)),
        ("seed", made.seed),
        ("size", f"{row.width} x {row.height}" if row.width else ""),
    )
    return Details(
        path=row.path,
        meaning=meaning,
        rank_in_prompt=fact.rank_in_prompt,
        scored_in_prompt=fact.scored_in_prompt,
        kept=fact.kept,
        reason=fact.reason,
        numbers=tuple(
            (other.scorer, other.failures.get(place) or f"{other.values[place]:.4g}")
            for other in view.result.beside
        ),
        texts=tuple((name, text) for name, text in texts if text),
    )
