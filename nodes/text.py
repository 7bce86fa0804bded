"""Cards and scores as text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..imagereward_core.plain import count_of, encodable

if TYPE_CHECKING:
    from ..imagereward_core.weights.card import ScorerCard
    from .links import ScoredBatch

PROMPT_SHOWN = 60


def number(value: float, decimals: int = 4) -> str:
    """A score with a fixed number of decimals; ``none`` where there is none, never ``-0``."""
    if math.isnan(value):
        return "none"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def decimals_for(values: Sequence[float], least: int, most: int = 8) -> int:
    """How many decimals tell values apart to about a hundredth of their range; of equal ones, to three digits.

    >>> decimals_for([-0.05, -0.04], least=2), decimals_for([-2.0, 1.5], least=2), decimals_for([20.0, 300.0], least=2)
    (4, 2, 2)
    """
    known = [value for value in values if math.isfinite(value)]
    spread = max(known, default=0.0) - min(known, default=0.0) or max(map(abs, known), default=0.0)
    return least if spread <= 0 else min(most, max(least, round(2 - math.log10(spread))))


def axis_labels(marks: Sequence[float], most: int = 12) -> list[str]:
    """Round numbers with as many decimals as all of them need.

    >>> axis_labels([-0.05, -0.0475, -0.045]), axis_labels([0.0, 1.0])
    (['-0.0500', '-0.0475', '-0.0450'], ['0', '1'])
    """
    needed = (digits for digits in range(most) if all(float(f"{mark:.{digits}f}") == mark for mark in marks))
    decimals = next(needed, most)
    return [number(mark, decimals) for mark in marks]


def about(card: ScorerCard, revision: str, warnings: Sequence[str] = ()) -> str:
    """A scorer in words, from its card: what it judges and what its number means."""
    lines = [
        card.title,
        card.summary,
        _scale(card),
    ]
    if card.token_limit is not None:
        lines.append(f"Reads a prompt of up to {card.token_limit} tokens, the two special ones included.")
    if not card.needs_prompt:
        lines.append("Needs no prompt.")
    lines += card.notes
    lines.append(f"Licence of the weights: {card.licence}.")
    if card.paper:
        lines.append(f"Described in: {card.paper}")
    return "\n".join([*warnings, *lines, f"Weights: {revision}"])


def _scale(card: ScorerCard) -> str:
    if card.typical_range is None:
        return "Higher is better; which numbers are typical is not known."
    low, high = card.typical_range
    return f"Higher is better; most pictures lie between {low:.4g} and {high:.4g}."


def remarks(scored: ScoredBatch) -> list[str]:
    """Remarks on these scores, in sentences."""
    from ..imagereward_core.scorers.meaning import compare_warning

    found = []
    warning = compare_warning(scored.card, scored.scores.prompts)
    if warning:
        found.append(warning)
    cut = sum(scored.scores.truncated)
    if cut:
        found.append(
            f"{scored.card.id} does not read {cut} of {count_of(len(scored), 'prompt')} to the end; the table names what it does not see."
        )
    if scored.basis:
        found.append(scored.basis)
    if not scored.scores.on_reference:
        found.append(
            "Made in another way than published (whole_picture), so not comparable with published numbers."
        )
    return found


def table(scored: ScoredBatch, reasons: Sequence[str] = (), decimals: int = 4) -> str:
    """All pictures from best to worst, one per line."""
    scores = scored.scores
    percentiles, ranks = scores.percentiles(), scores.ranks()
    several = len(set(scores.prompts)) > 1
    lines = [f"{scores.scorer}, {scored.counted(len(scored))}, higher is better"]
    lines += remarks(scored)
    for index in scores.order().tolist():
        value = float(scores.values[index])
        parts = [f"{ranks[index]:>4}." if ranks[index] else "    -", f"{number(value, decimals):>10}"]
        if not math.isnan(percentiles[index]):
            parts.append(f"percentile {percentiles[index]:5.1f}")
        parts.append(f"{scored.noun} {index + 1}")
        if several:
            parts.append(_short(scores.prompts[index]))
        if index in scores.failures and not reasons:  # a reason for the verdict says it as well
            parts.append(scores.failures[index])
        if scores.cut[index]:
            parts.append(f"not read: {_short(scores.cut[index])}")
        if reasons:
            parts.append(reasons[index])
        lines.append("  ".join(parts))
    return str(encodable("\n".join(lines)))


def as_json(scored: ScoredBatch) -> str:
    """Everything about the scores, for other programs; missing numbers are null."""
    content = encodable(
        {
            "scorer": scored.scores.scorer,
            "revision": scored.scores.revision,
            "higher_is_better": scored.card.higher_is_better,
            "on_reference": scored.scores.on_reference,
            "pictures": [_entry(scored, index) for index in range(len(scored))],
            "members": {member.scorer: [_known(value) for value in member] for member in scored.members},
            "remarks": remarks(scored),
        }
    )
    return json.dumps(content, ensure_ascii=False, indent=1)


def _entry(scored: ScoredBatch, index: int) -> dict[str, object]:
    scores = scored.scores
    entry: dict[str, object] = {
        "picture": index + 1,
        "score": _known(float(scores.values[index])),
        "rank": int(scores.ranks()[index]) or None,
        "percentile": _known(float(scores.percentiles()[index])),
        "prompt": scores.prompts[index],
    }
    if index in scores.failures:
        entry["problem"] = scores.failures[index]
    if scored.clips:
        entry["frames"] = [frame + 1 for frame in scored.clips[index].frames]
    if scores.cut[index]:
        entry["not_read"] = scores.cut[index]
    return entry


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= PROMPT_SHOWN else flat[: PROMPT_SHOWN - 3] + "..."
