"""When two prompts are the same one, for splits: letter case, spaces and the way accents are written do not make another."""

from __future__ import annotations

import hashlib
import unicodedata


def prompt_key(prompt: str) -> str:
    """What is equal for prompts that must not be in two splits.

    >>> prompt_key("A  red fox ") == prompt_key("a red fox")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())


def prompt_place(prompt: str, seed: int) -> float:
    """A number from 0 to below 1, by the prompt's text and the seed alone: other data do not change it.

    >>> prompt_place("a red fox", 0) == prompt_place("A red  fox", 0) != prompt_place("a red fox", 1)
    True
    """
    digest = hashlib.sha256(f"{seed}\n{prompt_key(prompt)}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
