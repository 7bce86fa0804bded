"""Prompts to the token ids that text encoders read, all of one length."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imagereward_core.plain import well_formed
from imagereward_core.scorers.tokenizers.clip import ClipPromptEncoder

from ...training.errors import TrainingError

Encode = Callable[[str], tuple[Sequence[int], str]]
"""A prompt to ids, special ones included, and the part that did not fit."""


@dataclass(frozen=True)
class Ids:
    """Token ids int64 [N, L], and of each prompt the part that did not fit."""

    ids: Tensor
    cut: tuple[str, ...]


class Tokens:
    """Prompts to ids.

    Args:
        encode: Of one prompt.
        length: Ids of a prompt, padding included.
        pad: What short prompts are filled up with.
        size: Of the vocabulary, where it is known.
    """

    def __init__(self, encode: Encode, length: int, pad: int, size: int = 0) -> None:
        self._encode = lru_cache(maxsize=4096)(encode)
        self.length, self.pad, self.size = length, pad, size

    def __call__(self, prompts: Sequence[str]) -> Ids:
        """Ids of some prompts."""
        found = [self._encode(well_formed(prompt)) for prompt in prompts]
        rows = [[*ids, *[self.pad] * (self.length - len(ids))] for ids, _ in found]
        return Ids(torch.tensor(rows), tuple(cut for _, cut in found))


def clip_tokens(merges: Path, length: int = 77, pad: str = "") -> Tokens:
    """CLIP's tokenizer by its ``merges.txt``.

    Args:
        merges: The file.
        length: Ids of a prompt.
        pad: The token that short prompts are filled up with; by default the one that ends them.
    """
    encoder = ClipPromptEncoder(merges, length, "processor")
    number = encoder.tokenizer.token_to_id(pad) if pad else encoder.end_id

    def encode(prompt: str) -> tuple[Sequence[int], str]:
        found = encoder(prompt)
        return found.ids, found.cut

    end = encoder.end_id if number is None else number
    return Tokens(encode, length, end, encoder.tokenizer.get_vocab_size())


def folder_tokens(folder: Path, length: int) -> Tokens:
    """The tokenizer of one of diffusers' folders: CLIP's merges, or a ``tokenizer.json`` of any kind.

    Raises:
        TrainingError: There is neither, or it cannot be read.
    """
    if (folder / "merges.txt").is_file():
        return clip_tokens(folder / "merges.txt", length, _pad_token(folder))
    return json_tokens(folder, length)


def json_tokens(folder: Path, length: int) -> Tokens:
    """The tokenizer of a ``tokenizer.json`` of any kind; errors as of :func:`folder_tokens`."""
    pad = _pad_token(folder)
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TrainingError(
            f"{folder} has neither merges.txt nor tokenizer.json; expected the tokenizer of a folder of diffusers. Fetch the folder again, "
            "with all its files"
        )
    from tokenizers import Tokenizer

    try:
        tokenizer: Any = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise TrainingError(f"{path} cannot be read as a tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(prompt: str) -> tuple[Sequence[int], str]:
        found = tokenizer.encode(prompt)
        if len(found.ids) <= length:
            return found.ids, ""
        # What ends a prompt also ends one that is cut.
        return [*found.ids[: length - 1], found.ids[-1]], prompt[found.offsets[length - 1][0] :].strip()

    number = tokenizer.token_to_id(pad) if pad else None
    if number is None:
        number = next(
            (each for each in map(tokenizer.token_to_id, ("<pad>", "<|endoftext|>")) if each is not None), 0
        )
    return Tokens(encode, length, number)


def _pad_token(folder: Path) -> str:
    """The token that a tokenizer's folder names for padding; empty where it names none."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            token = json.loads((folder / name).read_text(encoding="utf-8")).get("pad_token")
        except (OSError, ValueError, AttributeError):
            continue
        token = token.get("content") if isinstance(token, dict) else token
        if isinstance(token, str):
            return token
    return ""
