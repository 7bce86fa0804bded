"""Figures about scores; NumPy alone. A percentile is the share of a reference strictly below a score (see :mod:`.percentile`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .agreement import disagreements as disagreements
    from .agreement import kendall_tau_b as kendall_tau_b
    from .agreement import spearman as spearman
    from .agreement import top_overlap as top_overlap
    from .frechet import Moments as Moments
    from .frechet import frechet_distance as frechet_distance
    from .pairs import PairProtocol as PairProtocol
    from .pairs import pair_counts as pair_counts
    from .percentile import percentiles as percentiles
    from .places import filter_at as filter_at
    from .places import place_shares as place_shares
    from .places import recall_at as recall_at
    from .preference import preference_accuracy as preference_accuracy
    from .preference import preferred_pairs as preferred_pairs
    from .uncertainty import holm as holm
    from .uncertainty import paired_test as paired_test
    from .uncertainty import prompts_needed as prompts_needed
    from .uncertainty import ratio_interval as ratio_interval
    from .voters import agreed_pairs as agreed_pairs
    from .voters import majority as majority
    from .wins import win_counts as win_counts

_HOMES = {
    "Moments": "frechet",
    "frechet_distance": "frechet",
    "PairProtocol": "pairs",
    "pair_counts": "pairs",
    "filter_at": "places",
    "place_shares": "places",
    "recall_at": "places",
    "holm": "uncertainty",
    "paired_test": "uncertainty",
    "prompts_needed": "uncertainty",
    "ratio_interval": "uncertainty",
    "agreed_pairs": "voters",
    "majority": "voters",
    "win_counts": "wins",
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
