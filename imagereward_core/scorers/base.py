"""What every scorer is to the rest of the program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Union

from ..errors import PromptError
from ..scores import Scores
from ..weights.card import ScorerCard

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image

    from .pictures import Prepared

Picture = Union[str, "os.PathLike[str]", "Image.Image", "np.ndarray", "torch.Tensor", "Prepared"]


class Scorer(Protocol):
    """Pictures and prompts to Scores. Higher is better for every scorer.

    A bad picture yields NaN and a reason for itself alone; a broken scorer raises. Output length equals input length, always, in
    input order.
    """

    card: ScorerCard
    revision: str

    def score(self, images: Sequence[Picture] | torch.Tensor, prompts: str | Sequence[str]) -> Scores:
        """Scores pictures.

        Args:
            images: Pillow pictures, paths, NumPy arrays, float tensors [H, W, C] in 0..1 in any mixture, or one float tensor
                [B, H, W, C].
            prompts: One prompt for all, or one per picture.

        Raises:
            PromptError: The number of prompts does not fit, or one is not text.
        """


def prompts_per_picture(prompts: str | Sequence[str], number: int) -> tuple[str, ...]:
    """One prompt per picture.

    Raises:
        PromptError: A list of another length than the pictures, or something that is not text in it.
    """
    listed = [prompts] * number if isinstance(prompts, str) else list(prompts)
    if len(listed) != number:
        raise PromptError(
            f"{len(listed)} prompts for {number} pictures; expected one prompt for all pictures or exactly one per picture"
        )
    for index, prompt in enumerate(listed):
        if not isinstance(prompt, str):
            raise PromptError(f"prompt {index} is {type(prompt).__name__}; expected text")
    return tuple(listed)
