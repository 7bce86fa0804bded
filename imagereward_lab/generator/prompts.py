"""Prompts to the token ids that hosts feed a Stable Diffusion 1 text tower."""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from imagereward_core.files.whole import written_whole
from imagereward_core.scorers.tokenizers.clip import ClipPromptEncoder

from ..training.errors import TrainingError

MERGES = "merges.txt"
_PACKED = "bpe_simple_vocab_16e6.txt.gz"
_PAIRS = 49152 - 256 - 2


class PromptIds:
    """Ids of prompts with start, end, and end tokens for padding.

    Args:
        merges: CLIP's ``merges.txt``.
        positions: How many ids there are for a prompt.
    """

    def __init__(self, merges: Path, positions: int = 77) -> None:
        encoder = ClipPromptEncoder(merges, positions, "processor")

        @lru_cache(maxsize=100_000)
        def padded(prompt: str) -> tuple[int, ...]:
            ids = encoder(prompt).ids
            return (*ids, *[encoder.end_id] * (positions - len(ids)))

        self._padded = padded

    def __call__(self, prompts: Sequence[str]) -> Tensor:
        """Int64 [N, positions]."""
        return torch.tensor([self._padded(prompt) for prompt in prompts])


def merges_in(folder: Path, given: Path | None = None) -> Path:
    """CLIP's ``merges.txt`` in ``folder``, unpacked there from the file given or from the package ``open_clip_torch``.

    Raises:
        TrainingError: There is none.
    """
    path = folder / MERGES
    if not path.is_file():
        source = given or _of_open_clip()
        if not source.is_file():
            raise TrainingError(f"there is no {source}; expected CLIP's merges.txt or {_PACKED}")
        try:
            data = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
            lines = data.decode("utf-8").split("\n")[1 : _PAIRS + 1]
        except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
            raise TrainingError(f"{source} cannot be read as CLIP's merges: {error}") from error
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            temporary.write_text("\n".join(["#version: 0.2", *lines, ""]), encoding="utf-8", newline="\n")
    return path


def _of_open_clip() -> Path:
    found = importlib.util.find_spec("open_clip")
    if found is None or found.origin is None:
        raise TrainingError(
            "CLIP's vocabulary is not at hand: the package open_clip_torch, which carries it, is not installed. Install it with: "
            "pip install --no-deps open_clip_torch, or give --merges FILE (merges.txt of openai/clip-vit-large-patch14)"
        )
    return Path(found.origin).parent / _PACKED
