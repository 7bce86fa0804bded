"""Sizes of a reward network, as plain data. The defaults are ImageReward-v1.0; any smaller configuration uses the same code."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class VisionConfig:
    """The image tower: ViT-L/16 at 224 pixels in ImageReward (BLIP, ``vit.py``). Stochastic depth grows to ``drop_path``, in training."""

    image_size: int = 224
    patch_size: int = 16
    width: int = 1024
    depth: int = 24
    heads: int = 16
    mlp_width: int = 4096
    layer_norm_eps: float = 1e-6
    drop_path: float = 0.1

    @property
    def tokens(self) -> int:
        """Length of the token sequence: one class token and the patches."""
        return 1 + (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True)
class TimmConfig:
    """An image tower that the package timm brings.

    Attributes:
        name: Its name there.
        width: Width of the tokens it gives.
        drop_path: As for :class:`VisionConfig`.
        sized: Whether ``image_size`` is not the network's own and has to be asked for.
        mean: Per-channel mean (RGB, in 0..1) that its pictures are normalised with.
        std: Per-channel standard deviation, likewise.
    """

    name: str
    image_size: int
    width: int
    drop_path: float = 0.1
    sized: bool = False
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class TextConfig:
    """The text tower: BERT-base with cross-attention to the image in every layer (BLIP, ``med.py``)."""

    vocab_size: int = 30524
    positions: int = 512
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_width: int = 3072
    layer_norm_eps: float = 1e-12
    dropout: float = 0.1


@dataclass(frozen=True)
class HeadConfig:
    """The five linear layers that turn one text state into a number (ImageReward.py, ``MLP``).

    Attributes:
        widths: Outputs of the first four layers; the fifth has one.
        dropouts: Dropout after each of the first layers; training only.
        mean: Mean of the raw reward over the authors' test set, subtracted from it.
        std: Standard deviation of the raw reward over the authors' test set, by which it is divided.
    """

    widths: tuple[int, ...] = (1024, 128, 64, 16)
    dropouts: tuple[float, ...] = (0.2, 0.2, 0.1)
    mean: float = 0.16717362830052426
    std: float = 1.0333394966054072


@dataclass(frozen=True)
class RewardConfig:
    """A whole reward network; ``projection`` is the width of two projections for BLIP score, never used by ImageReward (0: left out)."""

    vision: VisionConfig | TimmConfig = field(default_factory=VisionConfig)
    text: TextConfig = field(default_factory=TextConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    projection: int = 256

    def to_dict(self) -> dict[str, Any]:
        """Plain nested data, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RewardConfig:
        """The configuration that :meth:`to_dict` wrote, also after a journey through JSON."""
        head = dict(data["head"])
        for name in ("widths", "dropouts"):
            head[name] = tuple(head[name])
        vision = dict(data["vision"])
        for name in ("mean", "std"):
            if name in vision:
                vision[name] = tuple(vision[name])
        return cls(
            vision=TimmConfig(**vision) if "name" in vision else VisionConfig(**vision),
            text=TextConfig(**data["text"]),
            head=HeadConfig(**head),
            projection=data["projection"],
        )
