"""The settings of the course of a tuning, each with its default, range and help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from imagereward_core.settings import check, setting

from ...training.config import TRAINING_PRECISIONS
from ..bases.base import TARGETS

BALANCES = ("lengths", "losses")

FREE = ("accumulate", "checkpointing", "save_every")
"""Settings that a resumed tuning may change, such as where memory was full: its course stays the same, up to rounding."""


@dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """How it is tuned, beside the method and the guards."""

    updates: int = setting(200, "How often the LoRA is changed", low=1)
    batch: int = setting(
        8, "Pictures that are drawn for one update; they are shared out among GPUs and parts", low=1
    )
    accumulate: int = setting(
        4,
        "Parts an update is gone through in, one after another, for GPUs its pictures do not fit on at once; the result stays the same",
        low=1,
    )
    learning_rate: float = setting(3e-4, "Learning rate of AdamW", low=0)
    warmup: float = setting(
        0.0, "Share of all updates over which the learning rate rises from 0", low=0, high=1
    )
    cooldown: float = setting(
        0.0,
        "Share of all updates, at the end, over which the learning rate falls to 0, so that the last ones settle what the first found",
        low=0,
        high=1,
    )
    weight_decay: float = setting(0.01, "Weight decay of AdamW", low=0)
    clip_norm: float = setting(1.0, "Largest norm of the gradients; 0 leaves them alone", low=0)
    ema: float = setting(
        0.9,
        "Share of a moving average of the LoRA that stays at each update; checks and the result take the average. 0 takes the LoRA itself",
        low=0,
        high=0.9999,
    )
    balance: str = setting(
        "lengths",
        "How pictures, and then reward and second loss, are brought together: lengths (gradients have one length first, so that no picture "
        "drowns the others and weights mean the same for every model and scorer) or losses (added as they are, as published)",
        choices=BALANCES,
    )
    denoising_weight: float = setting(
        0.5,
        "Of the second loss, with which the model goes on learning to draw pictures; 0 leaves it out, and pictures degrade",
        low=0,
    )
    denoising_pictures: int = setting(
        64,
        "Pictures for the second loss that the model itself draws before it is tuned, where no folder of pictures is given",
        low=1,
    )
    rank: int = setting(16, "Rank of the LoRA's matrices", low=1, high=1024)
    alpha: float | None = setting(
        None,
        "The LoRA's change is multiplied by this over the rank",
        low=1e-6,
    )
    targets: str = setting(
        "attention",
        "Layers that get a LoRA: those of attention, blocks (all linear ones of the blocks with attention), or all (convolutions of a UNet "
        "as well: a larger file, which changes pictures more)",
        choices=TARGETS,
    )
    precision: str = setting(
        "fp32",
        "Numbers the model is held in; the LoRA stays fp32. bf16 takes half of the memory on recent GPUs",
        choices=TRAINING_PRECISIONS,
    )
    checkpointing: bool = setting(
        True, "Keep less in memory and calculate it again for the gradients, which takes longer"
    )
    check_every: int = setting(20, "Updates between two checks with previews", low=1)
    save_every: int = setting(10, "Updates between two checkpoints that a killed run goes on from", low=1)
    previews: int = setting(8, "Prompts that checks draw, from those that are not tuned on", low=1)
    seeds: int = setting(4, "Pictures that checks draw for each, from seeds that stay the same", low=1)
    preview_steps: int = setting(25, "Steps of drawing for checks and previews", low=2, high=999)
    preview_guidance: float = setting(
        5.0, "Classifier-free guidance of checks and previews, as you would draw; 1 has none", low=0
    )
    held_out: float = setting(
        10.0,
        "Share of the prompts that is not tuned on but kept for checks, where no --validation is given",
        low=0,
        high=90,
        unit="percent",
    )
    seed: int = setting(1234, "Everything random follows from it", low=0)

    def __post_init__(self) -> None:
        check(self)

    def facts(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        return asdict(self)
