"""What a training is asked to do, beside the settings of its course."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from imagereward_core.settings import check, setting
from imagereward_core.weights.locate import WeightSettings

from ..config import TrainingConfig
from ..networks.tuning import TUNING


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What is trained, from what, and where it goes; how stands in :class:`.config.TrainingConfig`.

    Attributes:
        config: How.
        output: The folder of the training: checkpoints, logs and the result.
        weights: Where weights are found.
        cache: Folder for what frozen layers compute; None keeps nothing.
    """

    config: TrainingConfig
    output: Path
    weights: WeightSettings = field(default_factory=WeightSettings)
    cache: Path | None = None
    start: str = setting(
        "BLIP",
        "What it starts from: BLIP as in the paper, ImageReward-v1.0, demo, CLIP, PickScore, HPSv2, or a checkpoint",
    )
    fresh_head: bool = setting(False, "Begin with a new reward head, also where the start has one")
    tuning: str = setting(
        "full",
        "What trains above the frozen layers: full, lora (small additions, through the package peft) or head (the reward head alone)",
        choices=TUNING,
    )
    lora_rank: int = setting(16, "Rank of a LoRA's matrices", low=1, high=1024)
    vision: str = setting(
        "", "A network of the package timm in the place of the image tower, by its name there"
    )
    vision_size: int = setting(
        0,
        "Side of the pictures in pixels, that network's or, without one, those of the start, whose positions are then interpolated",
        low=0,
        high=4096,
        unset=0,
        unset_means="its own",
    )
    vision_random: bool = setting(
        False, "Begin that network with random weights, in the place of its published ones"
    )
    name: str = setting("", "Id of the new scorer, by which every host knows it")
    title: str = setting("", "Its title, a line for menus")
    licence: str = setting("not stated", "Licence of its weights")
    validation: float = setting(
        10.0,
        "Share of the prompts that is set aside to validate on, where no ranking says that it is for that",
        low=0,
        high=90,
        unit="percent",
    )
    workers: int = setting(4, "Threads that read pictures", low=1, high=256)
    half: bool = setting(False, "Write the result in half precision: half the size")

    def __post_init__(self) -> None:
        check(self)
