"""The settings of a training that its course depends on, each with its default, range and help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from imagereward_core.settings import check, setting

from .losses import LOSSES, MEANS
from .networks.freezing import FREEZING

TRAINING_PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The published run's settings (REFERENCE: train/scripts/train_one_node.sh) are the defaults.

    Attributes:
        betas: Of Adam.
        eps: Of Adam.
    """

    epochs: int = setting(10, "Passes over the data", low=1)
    learning_rate: float = setting(1e-5, "Largest learning rate of Adam; it falls to 0 along a cosine", low=0)
    batch_pairs: int = setting(
        64,
        "Pairs of pictures for one step. Whole rankings are packed to it, and shared out among GPUs and parts",
        low=1,
    )
    accumulate: int = setting(
        1,
        "Parts a batch is gone through in, one after another, for GPUs it does not fit on; the result stays the same",
        low=1,
    )
    freeze: float = setting(
        0.7,
        "Share of the layers of each tower that stays as it is, from the side of the input",
        low=0,
        high=1,
    )
    freezing: str = setting(
        "layers",
        "Which parameters that means: whole layers, or reference for the published selection with dropout everywhere",
        choices=FREEZING,
    )
    loss: str = setting(
        "pairwise",
        "What is learnt: pairwise (the paper's), davidson or rao-kupper (ties count too), plackett-luce (whole rankings), or soft "
        "(shares of several people's choices)",
        choices=tuple(LOSSES),
    )
    mean: str = setting(
        "pairs", "Whether all pairs of a batch count alike (equation 1), or all rankings", choices=MEANS
    )
    precision: str = setting(
        "fp32",
        "Numbers the networks calculate with; weights stay fp32. bf16 takes less memory and time on recent GPUs",
        choices=TRAINING_PRECISIONS,
    )
    checkpointing: bool = setting(
        False, "Keep less in memory and calculate it again for the gradients, which takes longer"
    )
    warmup: float = setting(
        0.0, "Share of all steps over which the learning rate rises from 0", low=0, high=1
    )
    clip_norm: float = setting(0.0, "Largest norm of the gradients; 0 leaves them alone", low=0)
    validations_per_epoch: int = setting(4, "How often an epoch the state is validated and saved", low=1)
    patience: int = setting(
        12,
        "Stop after so many validations without a better one; 0 goes on to the end",
        low=0,
    )
    seed: int = setting(1234, "Everything random follows from it", low=0)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check(self)

    def facts(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        return {**asdict(self), "betas": list(self.betas)}
