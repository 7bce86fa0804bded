"""Figures about scores; NumPy alone. A percentile is the share of a reference strictly below a score (see :mod:`.percentile`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .agreement import disagreements as disagreements
    from .agreement import kendall_tau_b as kendall_tau_b
    from .agreement import spearman as spearman
    from .agreement import top_overlap as top_overlap
    from .percentile import percentiles as percentiles
    from .preference import preference_accuracy as preference_accuracy
    from .preference import preferred_pairs as preferred_pairs

_HOMES = {
    "disagreements": "agreement",
    "kendall_tau_b": "agreement",
    "spearman": "agreement",
    "top_overlap": "agreement",
    "percentiles": "percentile",
    "preference_accuracy": "preference",
    "preferred_pairs": "preference",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
