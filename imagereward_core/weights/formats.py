"""Recognises a file of weights, and whether it is complete, by its two ends. Without torch, and without reading a tensor."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal

from ..errors import WeightsError
from .manifest import LARGEST_HEADER

EXPECTED = "expected a .safetensors file, or a .pt file of plain tensors saved by torch 1.6 or later"


def defect(path: Path) -> str:
    """Why a file cannot be the whole of a checkpoint; empty where it looks like one.

    A copy or a download that broke off is recognised by its ends: the table of contents says how long a file must be.
    """
    try:
        if sniff(path) == "torch":
            return "" if zipfile.is_zipfile(path) else f"{path} is cut short or damaged. Fetch it again"
        return _shortage(path)
    except WeightsError as error:
        return str(error)
    except OSError as error:
        return f"{path} cannot be read ({error}); {EXPECTED}"


def _shortage(path: Path) -> str:
    """The fault of a safetensors file, by its table of contents."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            tensors = json.loads(file.read(length))
            ends = [each["data_offsets"][1] for name, each in tensors.items() if name != "__metadata__"]
            whole = 8 + length + max(ends, default=0)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            return f"{path} is damaged: its table of contents cannot be read ({error}). Fetch it again"
    size = path.stat().st_size
    return "" if size >= whole else f"{path} is cut short: {size:,} bytes of {whole:,}. Fetch it again"


def sniff(path: Path) -> Literal["safetensors", "torch"]:
    """Which format a file really has, judged by its first bytes; WeightsError, which says what it seems to be, where it is neither."""
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise WeightsError(f"{path} {kind}; {EXPECTED}")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}); {EXPECTED}") from error
    size = path.stat().st_size
    if head[:4] == b"PK\x03\x04":
        return "torch"
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length <= LARGEST_HEADER:
        if 8 + length > size:
            raise WeightsError(
                f"{path} is cut short: {size} bytes, while its header alone has {8 + length}. Fetch it again"
            )
        return "safetensors"
    raise WeightsError(f"{path} ({size} bytes) {_what(head)}; {EXPECTED}")


def _what(head: bytes) -> str:
    """The likely kind of a file that is no checkpoint."""
    text = head.lstrip().lower()
    if not head:
        return "is empty: a download or a copy broke off before it began"
    if text.startswith(b"version https://git-lfs"):
        return (
            "is a git LFS pointer, a note that stands for the file, not the file; run `git lfs pull` or "
            "download the file itself"
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "is a web page saved under this name, most likely an error page; download the file itself"
    if head[257:262] == b"ustar":
        return "is a tar archive; if the checkpoint is inside, unpack it"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return (
            "is a bare pickle, the format of torch before 1.6, which is not read; save it again with a newer "
            "torch, best as .safetensors"
        )
    if head[:1] == b"{":
        return "is JSON text"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return f"is a text file that begins with {head[:40].decode('ascii')!r}"
    return f"is not a checkpoint (it begins with the bytes {head[:8].hex(' ')})"
