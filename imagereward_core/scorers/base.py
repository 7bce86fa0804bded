"""The contract of a scorer, and what decides that a picture has no score for want of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..errors import PromptError
from ..metadata.missing import MissingPrompt, Prompt
from ..plain import count_of, well_formed
from ..scores import Scores
from ..weights.card import ScorerCard

if TYPE_CHECKING:
    import torch

    from .inputs import Picture


def objection(card: ScorerCard, prompt: Prompt) -> str:
    """Why the scorer of ``card`` has no number for a picture with this prompt; empty where it has. The one place where that is decided.

    A missing prompt is an objection of scorers that read prompts, and of no other; a blend leaves it to its members.
    """
    if not card.needs_prompt or isinstance(prompt, str):
        return ""
    return (prompt or MissingPrompt()).reason


class Scorer(Protocol):
    """Pictures and prompts to Scores. Higher is better for every scorer.

    A picture that cannot be read yields NaN and a reason; a broken scorer raises. Output length equals input length, always, in
    input order.
    """

    card: ScorerCard
    revision: str

    def score(self, images: Sequence[Picture] | torch.Tensor, prompts: str | Sequence[Prompt]) -> Scores:
        """Scores pictures.

        Args:
            images: Pillow pictures, paths, NumPy arrays, float tensors [H, W, C] in 0..1 in any mixture, or one float tensor
                [B, H, W, C].
            prompts: One prompt for all, or one per picture. Of those any may be missing, see :data:`Prompt`: such a picture has NaN and
                the reason where the scorer reads prompts, and its score where it does not.

        Raises:
            PromptError: The number of prompts does not fit, or one is not text.
        """


def prompts_per_picture(prompts: Prompt | Sequence[Prompt], number: int) -> tuple[str | MissingPrompt, ...]:
    """One prompt per picture, or why there is none; PromptError for a list of another length, or with something that is neither."""
    one = prompts is None or isinstance(prompts, (str, MissingPrompt))
    listed: list[Prompt] = [prompts] * number if one else list(prompts)  # type: ignore[list-item, arg-type]
    if len(listed) != number:
        raise PromptError(
            f"{count_of(len(listed), 'prompt')} for {count_of(number, 'picture')}; expected one prompt for all pictures or exactly one "
            "per picture"
        )
    found: list[str | MissingPrompt] = []
    for index, prompt in enumerate(listed):
        if prompt is not None and not isinstance(prompt, (str, MissingPrompt)):
            raise PromptError(
                f"prompt {index} is {type(prompt).__name__}; expected text, or None where none is known"
            )
        if isinstance(prompt, str):
            prompt = well_formed(prompt)  # what cannot be written anywhere is not kept with the scores either
        found.append(MissingPrompt() if prompt is None else prompt)
    return tuple(found)
