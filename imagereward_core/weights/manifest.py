"""The manifest beside a checkpoint (``<name>.json``): its checksum when it was fetched or made, and where it came from.

It says what a file should be, to notice damage. What a file is, only reading it shows (see :mod:`.ledger`): a manifest can be
written by anybody who can write the file.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files.whole import written_whole
from .ledger import found_once, is_sha256

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Told the file's name, the bytes done and the bytes in total (0 where unknown)."""

LARGEST_HEADER = 100_000_000
"""Longest header a safetensors file may have, in bytes; the limit of the format's own reader."""

_FORMAT = "imagereward-weights-1"
_BLOCK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """Facts about one file, valid while its size (bytes) and modification time (nanoseconds since 1970) stay as recorded.

    Attributes:
        repository: Hub repository it was downloaded from; empty where it was not.
        revision: Branch, tag or commit that was asked for.
        commit: Commit the hub answered with.
    """

    sha256: str
    size: int
    mtime_ns: int
    repository: str = ""
    revision: str = ""
    commit: str = ""


def manifest_path(path: Path) -> Path:
    """Where the manifest of ``path`` lies."""
    return path.with_name(f"{path.name}.json")


def read_manifest(path: Path) -> Manifest | None:
    """The manifest of ``path``, or None where there is none or the file has changed since."""
    recorded = recorded_manifest(path)
    try:
        state = path.stat()
    except OSError:
        return None
    same = recorded and (recorded.size, recorded.mtime_ns) == (state.st_size, state.st_mtime_ns)
    return recorded if same else None


def recorded_manifest(path: Path) -> Manifest | None:
    """The manifest as written, whether or not the file has changed since; None where it is not ours."""
    try:
        content = json.loads(manifest_path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
            return None
        found = Manifest(**content)
        return found if is_sha256(found.sha256) else None
    except (OSError, ValueError, TypeError):
        return None


def write_manifest(
    path: Path, sha256: str, repository: str = "", revision: str = "", commit: str = ""
) -> bool:
    """Writes the manifest of ``path``; returns False, and does nothing, where that is not possible.

    A ``<name>.json`` that is not ours (other programs keep notes under such names) is left alone.
    """
    target = manifest_path(path)
    if target.exists() and recorded_manifest(path) is None:
        logger.debug("%s belongs to another program; the checksum of %s is not kept", target, path.name)
        return False
    try:
        state = path.stat()
        content = asdict(Manifest(sha256, state.st_size, state.st_mtime_ns, repository, revision, commit))
        with written_whole(target) as temporary:
            temporary.write_text(
                json.dumps({"format": _FORMAT, **content}, indent=2) + "\n", encoding="utf-8"
            )
    except OSError as error:
        logger.debug("the checksum of %s cannot be kept beside it: %s", path, error)
        return False
    return True


def sha256_of(path: Path, progress: Progress | None = None, fresh: bool = False) -> str:
    """SHA-256 of a file as 64 hexadecimal digits; with ``fresh`` by reading it, even where it is remembered from before."""

    def read() -> str:
        size, done, digest = path.stat().st_size, 0, hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                done += len(block)
                if progress is not None:
                    progress(path.name, done, size)
        _compare(path, digest.hexdigest())
        return digest.hexdigest()

    return found_once(path, "sha256", read, fresh)


def vouched_sha256(path: Path) -> str | None:
    """The checksum ``path`` should have by its manifest; None where nobody says.

    A file that was downloaded should stay what it was; any other may have been replaced on purpose, which its
    modification time tells.
    """
    recorded = recorded_manifest(path)
    if recorded is None or not (recorded.repository or read_manifest(path)):
        return None
    return recorded.sha256


def _compare(path: Path, sha256: str) -> None:
    """Says where a file is no longer what it should be; a copy, the same bytes with another modification time, keeps its note."""
    expected = vouched_sha256(path)
    if expected is not None and expected != sha256:
        logger.warning("%s is not what it was when it was fetched or made: damaged, or another file", path)
    elif expected is not None and read_manifest(path) is None:
        recorded = recorded_manifest(path)
        assert recorded is not None
        write_manifest(path, sha256, recorded.repository, recorded.revision, recorded.commit)


def safetensors_metadata(path: Path) -> dict[str, str]:
    """The text metadata in a safetensors file's header; empty where there is none or it is no such file."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(LARGEST_HEADER, path.stat().st_size):
                return {}
            header: Any = json.loads(file.read(length))
        metadata = header.get("__metadata__", {})
        return {key: value for key, value in metadata.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
