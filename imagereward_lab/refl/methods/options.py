"""What can be chosen about each method, each setting with its default, range and help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from imagereward_core.settings import check, setting


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """What all methods have.

    Attributes:
        bound: The loss of a picture is ``ReLU(bound - reward) * weight``: what is better than the bound is left alone. Infinity is none.
    """

    steps: int = setting(40, "Steps of a drawing", low=2, high=999)
    guidance: float = setting(
        1.0,
        "Classifier-free guidance while tuning; 1 has none, as published, and takes half of the time. Models that are told guidance as "
        "a number (Flux) get this one",
        low=0,
    )
    height: int | None = setting(None, "Height of pictures in pixels; by default the model's own", low=8)
    width: int | None = setting(None, "Width of pictures in pixels; by default the model's own", low=8)
    bound: float | None = setting(
        None,
        "Pictures with a reward above this are left alone, so that it is not driven beyond what it was made for. By default two standard "
        "deviations above the mean of the scorer's reference scores (2 for ImageReward, as published); inf has no bound",
    )
    weight: float = setting(
        1e-3,
        "Of the loss of the reward, against the distance, and with --balance losses against that of denoising",
        low=0,
    )
    eta: float = setting(
        0.0, "Fresh noise at every step: 0 none (DDIM), 1 as DDPM. Flow models have none", low=0, high=1
    )

    def __post_init__(self) -> None:
        check(self)

    def facts(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ReflOptions(MethodOptions):
    """ReFL as published: 40 steps of DDPM without guidance, a gradient through one of the last ten."""

    first: int = setting(
        30,
        "First step that may carry the gradient, counted from 0; later ones are as likely. With other --steps the last quarter",
        low=0,
    )
    last: int = setting(39, "Last step that may carry the gradient", low=0)
    eta: float = setting(
        1.0,
        "Fresh noise at every step: 0 none (DDIM), 1 as DDPM, as published. Flow models have none",
        low=0,
        high=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first <= self.last < self.steps:
            raise ValueError(
                f"--first is {self.first} and --last is {self.last} of {self.steps} steps; expected --first at most --last, "
                "and that below --steps"
            )


@dataclass(frozen=True, kw_only=True)
class DraftOptions(MethodOptions):
    """DRaFT (arXiv 2309.17400): a gradient through the last steps of a whole drawing."""

    k: int = setting(1, "Steps at the end that carry the gradient", low=1)
    low_variance: int = setting(
        0,
        "For k 1: noise is added to the finished picture so many times, and the last step done anew from each (DRaFT-LV; published: 2); "
        "0 does not",
        low=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k > self.steps:
            raise ValueError(f"k is {self.k} of {self.steps} steps; expected at most all of them")
        if self.low_variance and self.k != 1:
            raise ValueError(
                f"low_variance is {self.low_variance} and k is {self.k}; expected k 1, the only one it is defined for"
            )


@dataclass(frozen=True, kw_only=True)
class AlignPropOptions(MethodOptions):
    """AlignProp (arXiv 2310.03739): a gradient through the end of a drawing, which begins at a random step."""

    mean: float = setting(
        0.84,
        "Where the gradient begins, as a share of all steps: mean of a normal distribution",
        low=0,
        high=1,
    )
    deviation: float = setting(0.1, "Its standard deviation", low=0, high=1)
