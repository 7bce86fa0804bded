"""Writes tensors as safetensors, one after another, into a file that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...files.whole import written_whole
from .fingerprint import bytes_of
from .layout import Layout

CODES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What the format calls the types of numbers it knows."""


def header_of(layout: Layout, metadata: Mapping[str, str]) -> bytes:
    """Length and header of a safetensors file, padded to eight bytes as the format asks."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, (dtype, shape) in layout.items():
        end = offset + dtype.itemsize * torch.Size(shape).numel()
        header[name] = {"dtype": CODES[dtype], "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write_order(tensors: Mapping[str, torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    """Names and tensors as they follow one another in a file."""
    return sorted(tensors.items(), key=lambda each: (-each[1].dtype.itemsize, each[0]))


def write_state(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Writes ``tensors``, from whatever device, to ``path``.

    The file gets the permissions of any new file. The library's own ``save_file`` makes it readable by its owner alone, leaves a file
    under a name of its own where it is killed, and hides a full disk in a text.

    Raises:
        OSError: It cannot be written, for instance since the disk is full; what was there stays.
    """
    ordered = write_order(tensors)
    layout: Layout = {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in ordered}
    with written_whole(path) as temporary, temporary.open("wb") as out:
        out.write(header_of(layout, metadata))
        for _, tensor in ordered:
            out.write(bytes_of(tensor.detach().cpu()))
