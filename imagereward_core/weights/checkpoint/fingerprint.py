"""Names a set of weights by the numbers in it, whatever file they come in."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from ..ledger import WORTH_KEEPING, found_once, kind_of_tensors
from ..manifest import Progress
from .keymaps import KEYMAPS, KeyMap
from .reader import StateFile

_THREADS = 4


def tensors_sha256(path: Path, keymap: KeyMap | None = None, progress: Progress | None = None) -> str:
    """SHA-256 over the tensors of a checkpoint as 64 hexadecimal digits; read once and then remembered (see :mod:`..ledger`).

    The digest is that of the sorted digests of all tensors, each of its name, kind of numbers, shape and bytes. So it does not
    depend on the format of the file, on the order of its tensors or on what else is written in it, and no two sets of numbers
    share one. With the ``keymap`` of its network a file and its conversion have the same digest. ``progress`` is told of files that are
    large enough to take a while. WeightsError where the file cannot be read as a checkpoint, OSError where there is none.
    """
    layout = next((name for name, other in KEYMAPS.items() if other is keymap), "")
    return found_once(path, kind_of_tensors(layout), lambda: read_tensors(path, keymap, progress))


def same_tensors(path: Path, other: Path, keymap: KeyMap | None = None) -> bool:
    """Whether two checkpoints hold the same numbers under the same names; errors as in :func:`tensors_sha256`."""
    return tensors_sha256(path, keymap) == tensors_sha256(other, keymap)


def bytes_of(tensor: torch.Tensor) -> memoryview:
    """The numbers of a tensor in row-major order, without a copy where it already lies so."""
    numbers: Any = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    return memoryview(numbers)


def read_tensors(path: Path, keymap: KeyMap | None, progress: Progress | None = None) -> str:
    """The digest of :func:`tensors_sha256`, by reading the file whether or not it is remembered."""
    file = StateFile(path, keymap)
    size, done = path.stat().st_size, 0
    lines: list[str] = []
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for group in file.groups():
            mapped = file.map(group)
            lines.extend(pool.map(_line, mapped.items()))  # hashing leaves other threads their turn
            done += sum(tensor.numel() * tensor.element_size() for tensor in mapped.values())
            if progress is not None and size >= WORTH_KEEPING:
                progress(path.name, min(done, size), size)
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _line(item: tuple[str, torch.Tensor]) -> str:
    name, tensor = item
    digest = hashlib.sha256(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
    digest.update(bytes_of(tensor))
    return digest.hexdigest()
