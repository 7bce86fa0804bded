"""Maps the tensors of a zipped ``.pt`` file (torch 1.6 and later) into memory without unpickling it."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ...errors import WeightsError
from .pickled import LARGEST_PICKLE, PickleRefusedError, TensorRecord, read_pickle

# Signature, five 16-bit fields, checksum and sizes, then the lengths of the name and of the extra field
# (PKWARE APPNOTE 4.3.7).
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
# What zipfile raises on damage, found by damaging files at random.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

LARGEST_NOTE = 1024
"""Longest small entry beside the pickle (``byteorder`` holds six bytes), in bytes."""
MOST_ENTRIES = 100_000
"""Most entries of a checkpoint. One of 625 tensors has about 630."""


@dataclass(frozen=True)
class TorchArchive:
    """An opened ``.pt`` file: what it holds, with tensors as :class:`TensorRecord`, and for every storage its first byte and its length."""

    path: Path
    tree: Any
    places: Mapping[str, tuple[int, int]]


def open_archive(path: Path, read: Callable[[bytes], Any] = read_pickle) -> TorchArchive:
    """Reads the table of contents of a zipped ``.pt`` file; ``read`` interprets its pickle, by default one of plain tensors.

    WeightsError where the zip is cut short or damaged, is no torch checkpoint, or its pickle holds more than plain tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            listed = archive.infolist()
            if len(listed) > MOST_ENTRIES:
                raise PickleRefusedError(
                    f"it has {len(listed):,} entries, more than any list of tensors needs"
                )
            entries = {info.filename: info for info in listed}
            root = _root(path, entries)
            order = entries.get(f"{root}byteorder")
            if order is not None and _small(archive, order, LARGEST_NOTE).strip() == b"big":
                raise WeightsError(
                    f"{path} holds big-endian numbers; save it as .safetensors on the machine that made it"
                )
            begin = f"{root}data/"
            places = {
                name[len(begin) :]: _place(raw, info)
                for name, info in entries.items()
                if name.startswith(begin)
            }
            tree = read(_small(archive, entries[f"{root}data.pkl"], LARGEST_PICKLE))
    except PickleRefusedError as error:
        raise WeightsError(
            f"{path} is refused: {error}. Expected a state dict of plain tensors; if this is a whole saved "
            "model or training state whose source you trust, save its state_dict() as .safetensors and use "
            "that file"
        ) from error
    except _BROKEN as error:
        raise WeightsError(
            f"{path} ({path.stat().st_size} bytes) is cut short or damaged ({error}); expected a complete "
            ".pt file. Fetch it again"
        ) from error
    return TorchArchive(path, tree, places)


def map_tensors(archive: TorchArchive, records: Mapping[str, TensorRecord]) -> dict[str, torch.Tensor]:
    """The tensors described by ``records``, over one private memory map of the file.

    Nothing is read until a number is looked at. Writing to a tensor changes memory, never the file. WeightsError where a record points
    outside its storage, its storage outside the file or to none, or the file system does not allow memory maps.
    """
    try:
        size = archive.path.stat().st_size
        mapped: Any = torch.UntypedStorage.from_file(str(archive.path), False, size)
    except (RuntimeError, OSError) as error:
        raise WeightsError(
            f"{archive.path} cannot be mapped into memory ({error}); copy it to a local disk"
        ) from error
    return {name: _tensor(archive, name, record, mapped) for name, record in records.items()}


def _root(path: Path, entries: Mapping[str, zipfile.ZipInfo]) -> str:
    """The folder inside the zip that every record lies in, with its slash."""
    roots = [name[: -len("data.pkl")] for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if any(name.endswith("constants.pkl") for name in entries):
        raise WeightsError(
            f"{path} is a TorchScript program (OpenAI's CLIP is published so), not a state dict; expected "
            "plain tensors. Load it with torch.jit.load where you trust it, and save its state_dict() as "
            ".safetensors"
        )
    if len(roots) != 1:
        raise WeightsError(
            f"{path} is a zip file with {len(entries)} entries but not a torch checkpoint (found "
            f"{len(roots)} files named data.pkl, expected 1). If the checkpoint was packed into a zip, "
            "unpack it"
        )
    return roots[0]


def _small(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """An entry that is short in every sound file: PickleRefusedError where it is longer than ``limit``.

    Torch stores its entries; a tool that packs a checkpoint anew may deflate them, which is read too. No more is
    inflated than the table of contents says: what a file from a stranger says there can be less than there is. What is packed by
    another method, or encrypted, is a BadZipFile.
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 0x1:
        raise zipfile.BadZipFile(f"{info.filename} is packed or encrypted in a way torch never uses")
    if info.file_size > limit:
        raise PickleRefusedError(
            f"its entry {info.filename} has {info.file_size:,} bytes, expected at most {limit:,}"
        )
    with archive.open(info) as entry:
        return entry.read(info.file_size)  # given a number, zipfile stops inflating there


def _place(raw: BinaryIO, info: zipfile.ZipInfo) -> tuple[int, int]:
    """First byte and length of a stored record in the file."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
        raise zipfile.BadZipFile(f"{info.filename} is compressed or encrypted, as torch never saves it")
    raw.seek(info.header_offset)
    fields = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    if fields[0] != _LOCAL_SIGNATURE:
        raise zipfile.BadZipFile(f"{info.filename} does not begin where the table of contents says")
    return info.header_offset + _LOCAL_HEADER.size + fields[-2] + fields[-1], info.file_size


def _tensor(
    archive: TorchArchive, name: str, record: TensorRecord, mapped: torch.UntypedStorage
) -> torch.Tensor:
    """One tensor over the memory map, after its description has been checked against the file."""
    dtype: torch.dtype = getattr(torch, record.storage.dtype)
    width = dtype.itemsize
    count = math.prod(record.shape)
    begin, length = archive.places.get(record.storage.key, (0, -1))
    steps = zip(record.shape, record.stride, strict=True)
    last = record.offset + sum((size - 1) * step for size, step in steps)
    # A tensor larger than its storage (an expanded one) is legal in torch, but could claim any size.
    fits = count == 0 or (last < record.storage.length and count <= record.storage.length)
    if length < record.storage.length * width or begin + length > mapped.nbytes() or not fits:
        raise WeightsError(
            f"{archive.path} is damaged: {name} says it has {count} numbers from {record.offset} on, in a "
            f"storage of {max(length, 0)} bytes, in a file of {mapped.nbytes()} bytes. Fetch it again"
        )
    if count == 0:
        return torch.empty(record.shape, dtype=dtype)
    storage, offset = mapped, begin // width + record.offset
    if begin % width:  # torch aligns its records; another zip writer may not
        with archive.path.open("rb") as raw:
            raw.seek(begin)
            copied = torch.frombuffer(bytearray(raw.read(length)), dtype=torch.uint8)
        storage, offset = copied.untyped_storage(), record.offset
    tensor = torch.empty(0, dtype=dtype)
    return tensor.set_(storage, offset, record.shape, record.stride)
