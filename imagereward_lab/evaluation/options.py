"""How an evaluation is made."""

from __future__ import annotations

from dataclasses import dataclass

from imagereward_core.metrics.pairs import PAIR_PROTOCOLS, PairProtocol
from imagereward_core.scorers.blend import METHODS
from imagereward_core.settings import setting

from ..figures.estimates import IntervalOptions


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(IntervalOptions):
    """How figures are made.

    Raises:
        ValueError: A setting is out of its range.
    """

    protocol: str = setting(
        "pairs",
        "The rules of accuracy in comparisons, by category and of blends; all rules are in the first table",
        choices=tuple(PAIR_PROTOCOLS),
    )
    blend_method: str = setting(
        "standard", "How scores are brought together when weights are tried", choices=tuple(METHODS)
    )

    @property
    def rules(self) -> PairProtocol:
        """The protocol."""
        return PAIR_PROTOCOLS[self.protocol]
