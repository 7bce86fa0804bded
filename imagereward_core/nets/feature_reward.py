"""A reward from CLIP's features: the paper's other backbone (arXiv 2304.05977, Table 3, "CLIP")."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .clip import ClipConfig, ClipNetwork, TowerConfig
from .clip import parameter_dtype as clip_dtype


@dataclass(frozen=True)
class FeatureRewardConfig:
    """Sizes of the network.

    Attributes:
        hidden: Outputs of the layers before the last.
        dropout: After each of them; training only.
        mean: Mean of the raw reward, subtracted from it.
        std: Standard deviation of the raw reward, by which it is divided.
    """

    clip: ClipConfig = field(default_factory=ClipConfig.vit_l_14)
    hidden: tuple[int, ...] = (1024, 128)
    dropout: float = 0.1
    mean: float = 0.0
    std: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain nested data, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FeatureRewardConfig:
        """The configuration that :meth:`to_dict` wrote, also after a journey through JSON."""
        clip = {**data["clip"], "vision": TowerConfig(**data["clip"]["vision"])}
        clip["text"] = TowerConfig(**data["clip"]["text"])
        return cls(**{**data, "clip": ClipConfig(**clip), "hidden": tuple(data["hidden"])})


class FeatureHead(nn.Module):
    """Layers with GELU on the unit vectors of picture and text and on their product.

    Without the product and without an activation the prompt would move the scores of all its pictures alike.
    """

    def __init__(self, config: FeatureRewardConfig) -> None:
        super().__init__()
        width, layers = 3 * config.clip.projection, []
        for outputs in config.hidden:
            layers += [nn.Linear(width, outputs), nn.GELU(), nn.Dropout(config.dropout)]
            width = outputs
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """Unit vectors [P, projection] of pictures and of their prompts to raw rewards [P]."""
        # The product of two unit vectors is small; its entries are brought to the size of the vectors' own.
        product = image * text * image.shape[-1] ** 0.5
        return self.layers(torch.cat([image, text, product], dim=-1))[:, 0]


class FeatureRewardNetwork(nn.Module):
    """CLIP and a head on its features. Differentiable with respect to pixels and parameters."""

    def __init__(self, config: FeatureRewardConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = ClipNetwork(config.clip)
        self.mlp = FeatureHead(config)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Unit vectors float32 [B, projection] of normalised pixels [B, 3, S, S]."""
        return F.normalize(self.clip.encode_images(pixels).float(), dim=-1)

    def encode_texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors float32 [B, projection] of texts."""
        return F.normalize(self.clip.encode_texts(ids, mask).float(), dim=-1)

    def normalise(self, raw: Tensor) -> Tensor:
        """Raw rewards to mean 0 and standard deviation 1 over the pictures the scale was chosen on."""
        return (raw - self.config.mean) / self.config.std


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """As for CLIP; the head stays in float32."""
    return clip_dtype(name, dtype) if name.startswith("clip.") else torch.float32
