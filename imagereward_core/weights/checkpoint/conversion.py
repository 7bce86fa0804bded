"""Rewrites a checkpoint as ``.safetensors``: streamed, atomic, and never over another file."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ...errors import WeightsError
from ...files.locks import exclusive
from ...files.whole import naming
from ..ledger import remember
from ..manifest import Progress, safetensors_metadata, sha256_of, write_manifest
from .fingerprint import bytes_of, same_tensors
from .keymaps import KeyMap
from .layout import Layout
from .reader import StateFile
from .writer import CODES, header_of

logger = logging.getLogger(__name__)

_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class ConversionReport:
    """The result of a conversion.

    Attributes:
        size: Of the target, in bytes.
        reused: Whether an earlier conversion of the same source was found, so that nothing was written.
    """

    source: Path
    target: Path
    tensors: int
    size: int
    source_sha256: str
    reused: bool
    seconds: float


def convert(
    source: Path, target: Path, progress: Progress | None = None, keymap: KeyMap | None = None
) -> ConversionReport:
    """Writes the tensors of ``source`` to ``target`` as safetensors, every number bit for bit the same; the source is not changed.

    The target appears complete or not at all: it is written under a temporary name in the same folder,
    flushed to disk and renamed. A leftover of an interrupted conversion is overwritten. Tensors that share
    memory are written once each. Memory stays at a few chunks of :data:`~.reader.CHUNK_BYTES`. With a key map tensors get the names and
    the form they have in the network, and the others are left out. ``progress`` is told how many bytes have been hashed, then written.

    Raises:
        WeightsError: The source cannot be read; the target exists and is not a conversion of this source; the
            disk is full; another program is making the same file.
        OSError: The folder cannot be written to.
    """
    started = time.monotonic()
    source, target = Path(source), Path(target)
    if target.suffix.lower() != ".safetensors" or target == source:
        raise WeightsError(
            f"cannot convert {source} to {target}; expected another name that ends in .safetensors"
        )
    file = StateFile(source, keymap)
    layout = _aligned(file)
    checksum = sha256_of(source, progress)
    metadata = {"format": "pt", "source": source.name, "source_sha256": checksum}
    with exclusive(target):
        reused = target.exists()
        if reused:
            _check_same(file, target, metadata, layout, keymap)
        else:
            _write(file, target, layout, metadata, progress)
    size = target.stat().st_size
    seconds = time.monotonic() - started
    logger.info("%s %s (%.1f s)", "found" if reused else "wrote", target, seconds)
    return ConversionReport(source, target, len(layout), size, checksum, reused, seconds)


def _aligned(file: StateFile) -> Layout:
    """The layout of the target, widest numbers first, so that every tensor is aligned in the file."""
    layout = file.layout()
    for name, (dtype, _) in layout.items():
        if dtype not in CODES:
            raise WeightsError(
                f"{file.path}: {name} has the dtype {dtype}; expected one of {', '.join(CODES.values())}"
            )
    return dict(sorted(layout.items(), key=lambda item: (-item[1][0].itemsize, item[0])))


def _check_same(
    source: StateFile, target: Path, metadata: Mapping[str, str], layout: Layout, keymap: KeyMap | None
) -> None:
    """Refuses a target that is not an earlier conversion of the same source; what its header says is not enough."""
    same = safetensors_metadata(target).get("source_sha256") == metadata["source_sha256"]
    same = same and StateFile(target).layout() == layout
    if not (same and same_tensors(source.path, target, keymap)):
        raise WeightsError(
            f"{target} exists and was not made from {metadata['source']}; it is left as it is. Move one of "
            "the two to another folder"
        )


def _write(
    file: StateFile, target: Path, layout: Layout, metadata: Mapping[str, str], progress: Progress | None
) -> None:
    """Streams the tensors into a temporary file, checks it with the format's own reader and renames it."""
    header = header_of(layout, metadata)
    total = len(header) + sum(dtype.itemsize * torch.Size(shape).numel() for dtype, shape in layout.values())
    temporary = target.with_name(f".{target.name}.tmp")
    free = shutil.disk_usage(target.parent).free + (temporary.stat().st_size if temporary.exists() else 0)
    if free < total + _SPARE_BYTES:
        raise WeightsError(
            f"no room for {target}: {free} bytes are free in its folder, {total + _SPARE_BYTES} are needed"
        )
    digest = hashlib.sha256()
    try:
        temporary.unlink(missing_ok=True)  # of an interrupted conversion; a link goes, not what it leads to
        with temporary.open("xb") as out:
            _put(out, header, digest)
            for _, tensor in file.chunks(layout):
                _put(out, bytes_of(tensor), digest)
                if progress is not None:
                    progress(target.name, out.tell(), total)
            out.flush()
            os.fsync(out.fileno())
        if StateFile(temporary).layout() != layout:
            raise WeightsError(f"{temporary} does not read back as it was written; the disk may be failing")
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise naming(error, target, temporary) from error
    except BaseException:
        temporary.unlink(missing_ok=True)  # our own unfinished file, not a user's
        raise
    write_manifest(target, digest.hexdigest())
    remember(target, "sha256", digest.hexdigest())


def _put(out: BinaryIO, data: Any, digest: Any) -> None:
    out.write(data)
    digest.update(data)
