"""The meaning of a score in plain words: against the reference distribution, the typical range, and the user's own history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..metrics.agreement import ordinal
from ..metrics.percentile import percentiles
from ..scores import FloatArray
from ..weights.card import ScorerCard

MIN_HISTORY = 50
"""Below this many earlier scores a percentile is off by more than 7 points more often than one time in three."""


def explain(
    card: ScorerCard,
    value: float,
    rank: int | None = None,
    of: int | None = None,
    *,
    history: Sequence[float] = (),
    on_reference: bool = True,
) -> str:
    """A score in plain words, for the scorer of ``card``; NaN is no score.

    ``rank`` is the picture's place among the ``of`` it was compared with, 1 is best; 0, like None, says nothing. Of ``history``, the user's
    own earlier scores by the same scorer, too few are not mentioned. A score that was made in another way than published
    (``on_reference``) is not measured against the reference distribution.
    """
    if rank is not None and (rank < 0 or (of is not None and rank > of)):
        raise ValueError(f"rank is {rank} of {of}; expected a place from 1 to the number of pictures")
    if math.isnan(value):
        return "No score."
    parts = [f"{_number(card, value)}: {_standing(card, value, on_reference)}"]
    if rank:
        parts.append(f"Here it is {ordinal(rank)}{f' of {of}' if of is not None else ''}.")
    (percentile,) = percentiles_in_history([value], history)
    if not math.isnan(percentile):
        number = len(_known(history))
        parts.append(f"It is better than {_share(percentile)} of your own {number:,} earlier scores.")
    return " ".join(parts)


def _standing(card: ScorerCard, value: float, on_reference: bool) -> str:
    known = card.distribution
    if known is not None and on_reference:
        return (
            f"better than {_share(known.percentile(value))} of the reference scores of {card.id} (mean {known.mean:.3g}, standard "
            f"deviation {known.std:.3g}: {known.source})."
        )
    why = (
        f"no distribution of {card.id} scores is known"
        if known is None
        else "it was made in another way than published, so the distribution does not apply"
    )
    if card.typical_range is None:
        return f"{why}, nor are its typical scores; compare it with others of the same weights only."
    low, high = card.typical_range
    where = "below" if value < low else "above" if value > high else "within"
    return f"{why}; typical scores lie between {_number(card, low)} and {_number(card, high)}, and this is {where} that range."


def _share(percentile: float) -> str:
    """A percentile in words that never claims all or none."""
    if percentile < 1:
        return "less than 1 %"
    return "more than 99 %" if percentile > 99 else f"{percentile:.0f} %"


def _number(card: ScorerCard, value: float) -> str:
    """A score with as many decimals as tell typical scores apart: a hundredth of the typical range, and at least two."""
    low, high = card.typical_range or (0.0, 0.0)
    decimals = 2 - math.floor(math.log10(high - low)) if 0 < high - low < math.inf else 4
    text = f"{value:.{min(max(decimals, 2), 6)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def compare_warning(card: ScorerCard, prompts: Sequence[str]) -> str | None:
    """A warning for raw scores that are about to be compared although their prompts differ; None where the scorer allows that."""
    different = len(set(prompts))
    if different < 2 or card.cross_prompt:
        return None
    return (
        f"These pictures have {different} different prompts. {card.id} scores tell pictures for one prompt apart; between prompts they "
        "say little. Compare within each prompt, or compare ranks."
    )


def own_notice(card: ScorerCard) -> str:
    """The remark beside scores of a checkpoint of the user's own; empty for other scorers."""
    if not card.own:
        return ""
    told = f"{card.id} is a checkpoint of your own, not the published ImageReward-v1.0."
    if card.distribution is None and card.typical_range is None:
        return f"{told} It has no percentiles and no typical scores, since no card beside it says them."
    percentiles = f"percentiles against {card.distribution.source}" if card.distribution else "no percentiles"
    typical = f"typical scores from {card.typical_text}" if card.typical_range else "no typical scores"
    return f"{told} By its own card it has {percentiles} and {typical}."


def constant_warning(scorer: str) -> str:
    """The warning about a scorer that gives every picture the same number."""
    return f"{scorer} gives every picture the same score: its reward head is untrained or collapsed, and its numbers say nothing."


def flat_notice(checkpoint: Path, scorer: str) -> str:
    """:func:`constant_warning` for a checkpoint of the user's own whose weights show that it is true; else empty. Only its head is read."""
    from ..weights.own import has_flat_head

    return constant_warning(scorer) if has_flat_head(checkpoint) else ""


def percentiles_in_history(
    values: Sequence[float] | FloatArray, history: Sequence[float] | FloatArray, minimum: int = MIN_HISTORY
) -> FloatArray:
    """Shares of the user's own earlier scores below ``values``, float64 [N] in 0..100, the same measure as ``Distribution.percentile``.

    NaN among the earlier scores is ignored; with fewer than ``minimum`` of them all answers are NaN.
    """
    known = _known(history)
    return percentiles(values, known if len(known) >= minimum else ())


def _known(history: Sequence[float] | FloatArray) -> FloatArray:
    """The earlier scores without NaN."""
    earlier = np.asarray(history, dtype=np.float64)
    return earlier[~np.isnan(earlier)]
