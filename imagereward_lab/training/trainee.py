"""The contract between the trainer and a network that it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from imagereward_core.images.spec import ImageSpec


@dataclass(frozen=True)
class LayeredTower:
    """A tower as the trainer freezes it: by whole layers, from the side of the input.

    Attributes:
        name: ``vision`` or ``text``.
        stem: What comes before the first layer (embeddings, projection of patches, positions); frozen as soon as anything is.
        layers: Its layers in order.
        tail: What comes after the last layer; frozen where the whole tower is.
    """

    name: str
    stem: tuple[nn.Module | nn.Parameter, ...]
    layers: tuple[nn.Module, ...]
    tail: tuple[nn.Module | nn.Parameter, ...] = ()


class Trainee(Protocol):
    """A network with what the trainer must know of it. Rewards are raw: mean and deviation are chosen when it is exported."""

    spec: ImageSpec
    kind: str
    """Which family of networks it belongs to."""
    towers: tuple[LayeredTower, ...]

    @property
    def network(self) -> nn.Module:
        """All of it, in float32 while it is trained."""

    def tokens(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids int64 [G, L] and mask [G, L] of prompts; [G, 0] where the network reads none."""

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Features of normalised pixels, float [N, 3, S, S]; first dimension N. Differentiable."""

    def rewards(self, features: Tensor, ids: Tensor, mask: Tensor, rows: Tensor, texts: Tensor) -> Tensor:
        """Raw rewards float32 [P].

        Args:
            features: As from :meth:`encode_images`.
            ids: int64 [G, L].
            mask: [G, L].
            rows: int64 [P], for every pair of picture and prompt the picture, a row of ``features``.
            texts: int64 [P], and the prompt, a row of ``ids``.
        """

    def lower(self, pixels: Tensor, depth: int) -> Tensor:
        """Hidden states after the first ``depth`` layers of the image tower, from normalised pixels: what a cache keeps."""

    def upper(self, hidden: Tensor, depth: int) -> Tensor:
        """Features from hidden states of :meth:`lower`; ``upper(lower(pixels, d), d)`` equals ``encode_images(pixels)``."""
