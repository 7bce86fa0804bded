"""What all ways from prompts to token ids have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

from ...errors import PromptError
from ...plain import well_formed

# A tokenizer's cost grows with the text. No model here reads more than 512 tokens, and no token of these vocabularies is longer
# than 100 characters, so nothing beyond this many characters can be seen.
LONGEST_READ = 51_200


@dataclass(frozen=True)
class TokenizedPrompt:
    """One prompt as token ids, at most the scorer's limit, special tokens included, not padded; and the part of it that did not fit."""

    ids: tuple[int, ...]
    cut: str = ""


class Encoder(ABC):
    """Turns prompts into ids, once per prompt and at most ``limit`` with the special ones, and says which part was cut."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._encode_cached = lru_cache(maxsize=4096)(self._encode)

    def __call__(self, prompt: str) -> TokenizedPrompt:
        """The tokens of ``prompt`` and the part that did not fit; PromptError where it is not text."""
        if not isinstance(prompt, str):
            raise PromptError(f"a prompt is {type(prompt).__name__}; expected text")
        return self._encode_cached(well_formed(prompt))  # lone surrogates have no tokens

    @abstractmethod
    def _encode(self, prompt: str) -> TokenizedPrompt: ...
