"""What can be chosen about the guards, each setting with its default, range and help."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from imagereward_core.settings import check, setting

DISTANCES = ("l2", "kl")
WATCHES = ("stop", "keep", "off")


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """The guards beside the bound of the reward, which belongs to the method, and the loss of denoising."""

    distance: str = setting(
        "l2",
        "How far the tuned model is from the frozen one: l2 (mean squared difference of what both predict) or kl (of the steps of DDPM "
        "that follow from it, for models with noise at every step)",
        choices=DISTANCES,
    )
    distance_weight: float = setting(
        1e-4,
        "Of that distance in the loss; 0 leaves it out, which saves a pass. The smaller it is beside --reward-weight, the further what is "
        "predicted may go from what the frozen model predicts",
        low=0,
    )
    watch: str = setting(
        "stop",
        "What happens when a check is bad again and again: stop ends the run, keep goes on to the end; both take the last good state for "
        "the result. off takes the last state, whatever checks say",
        choices=WATCHES,
    )
    patience: int = setting(2, "So many bad checks one after another stop the run", low=1)
    scorer_fall: float = setting(
        0.3,
        "A check is bad when the mean of a scorer that is not tuned to (--also), or of the reward itself, has fallen by more than so many "
        "of its standard deviations before tuning",
        low=0,
    )
    diversity_fall: float = setting(
        20.0,
        "A check is bad when pictures for one prompt differ from one another by so much less than before",
        low=0,
        high=100,
        unit="percent",
    )
    own_fall: float = setting(
        5.0,
        "A check is bad when the share of pairs in which a picture goes better with its own prompt than with another's has fallen by more "
        "than so many points",
        low=0,
        high=100,
        unit="percent",
    )

    def __post_init__(self) -> None:
        check(self)

    def off(self) -> GuardOptions:
        """Without any of them."""
        return replace(self, distance_weight=0.0, watch="off")

    def facts(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        return asdict(self)
