"""The folder in which vectors and graphs are kept, each under what it depends on, so that work goes on where it broke off."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imagereward_core.errors import WeightsError
from imagereward_core.files.locks import StrangeLockError, exclusive
from imagereward_core.files.whole import written_whole

from ..errors import SelectionError

MARK = "selection-work.json"
_FORMAT = "imagereward-selection-work-1"
_ROWS_FORMAT = "imagereward-rows-1"
_SPARE = 64 * 2**20
_BLOCK = 16 * 2**20
EVERY = 10.0
"""Seconds between notes of how far the rows are."""


@dataclass(frozen=True)
class Work:
    """A folder for rows of numbers. Files of other inputs, models or settings lie side by side, and none is ever replaced by another.

    Attributes:
        folder: It holds :data:`MARK`.
    """

    folder: Path

    def rows(
        self,
        kind: str,
        facts: Mapping[str, Any],
        shape: tuple[int, int],
        dtype: DTypeLike,
        make: Callable[[int], Iterable[NDArray[Any]]],
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[Any]:
        """Rows of numbers, mapped from their file for reading; those that are not there yet are made and written.

        Args:
            kind: What they are: the beginning of the file's name.
            facts: All that they depend on.
            shape: How many, and the length of each.
            dtype: Of the numbers.
            make: Gives the rows from a place on, in order, some at a time.
            progress: Told how many rows are there.

        Raises:
            SelectionError: The disk has no room for them.
            OSError: They cannot be written.
        """
        wanted = {
            "format": _ROWS_FORMAT,
            "kind": kind,
            "shape": list(shape),
            "dtype": np.dtype(dtype).str,
            **facts,
        }
        name = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
        path = self.folder / f"{kind}-{name}.npy"
        done, check = _done(path, wanted)
        if done < shape[0]:
            with _Writing(path, wanted, shape, np.dtype(dtype), done, check) as file:
                for rows in make(done):
                    file.write(rows)
                    if progress is not None:
                        progress(file.done)
        elif progress is not None:
            progress(done)
        return np.load(path, mmap_mode="r", allow_pickle=False)


@contextmanager
def open_work(folder: Path) -> Iterator[Work]:
    """The folder of the work, made where it is not there, for this process alone.

    Raises:
        SelectionError: It is somebody else's, or another process works in it.
        OSError: It cannot be written.
    """
    mark = folder / MARK
    if not mark.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SelectionError(
                f"{folder}: found something that is no folder of such work; expected an empty folder, a new name, or the folder of an "
                "earlier "
                "choice of prompts. Give --work another name"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(mark) as temporary:
                temporary.write_text(json.dumps({"format": _FORMAT}) + "\n", encoding="utf-8")
        except OSError as error:
            raise SelectionError(
                f"--work {folder}: cannot be written ({error}); give it another name"
            ) from error
    if _json(mark).get("format") != _FORMAT:
        raise SelectionError(
            f"{mark}: is not what this version writes there; give --work another name, or use the version that made it"
        )
    if not os.access(folder, os.W_OK):
        raise SelectionError(
            f"{folder}: nothing may be written into it; give --work a folder that can be written to"
        )
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(mark))
        except StrangeLockError as error:
            raise SelectionError(str(error)) from error
        except WeightsError as error:
            raise SelectionError(
                f"another process works in {folder}; wait for it, or give --work another name"
            ) from error
        yield Work(folder)


class _Writing:
    """Rows on their way into a file, with a note beside it of how many are safely there."""

    def __init__(
        self,
        path: Path,
        facts: Mapping[str, Any],
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        done: int,
        check: int,
    ) -> None:
        self.path, self.facts, self.shape, self.dtype = path, facts, shape, dtype
        self.done, self.check = done, check
        self._noted = time.monotonic()
        self._file: BinaryIO
        needed = dtype.itemsize * shape[1] * (shape[0] - done)
        free = shutil.disk_usage(path.parent).free
        if free < needed + _SPARE:
            raise SelectionError(
                f"{path.parent}: found {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed for {path.name}. Make room, or name a "
                "folder on "
                "another disk with --work"
            )

    def __enter__(self) -> _Writing:
        if not self.done:
            self._file = self.path.open("wb")
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
            np.lib.format.write_array_header_1_0(self._file, header)
            return self
        self._file = self.path.open("r+b")
        np.lib.format.read_magic(self._file)
        np.lib.format.read_array_header_1_0(self._file)
        self._file.seek(self._file.tell() + self.done * self.shape[1] * self.dtype.itemsize)
        return self

    def write(self, rows: NDArray[Any]) -> None:
        """Appends rows."""
        data = np.ascontiguousarray(rows, self.dtype).tobytes()
        self._file.write(data)
        self.check = zlib.crc32(data, self.check)
        self.done += len(rows)
        if time.monotonic() - self._noted > EVERY:
            self._note()

    def __exit__(self, *_: object) -> None:
        try:
            self._note()
        finally:
            self._file.close()

    def _note(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())  # a note never says more than what a power failure leaves
        with written_whole(_note_of(self.path)) as temporary:
            temporary.write_text(
                json.dumps({**self.facts, "done": self.done, "crc32": self.check}, indent=1) + "\n",
                encoding="utf-8",
            )
        self._noted = time.monotonic()


def _note_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _done(path: Path, wanted: Mapping[str, Any]) -> tuple[int, int]:
    """How many rows of a file are there, by its note, and their CRC-32; 0 where note or file are another's, cut short or damaged."""
    note = _json(_note_of(path))
    done, noted = note.pop("done", 0), note.pop("crc32", None)  # notes of earlier versions have none
    if note != wanted or not isinstance(done, int) or not 0 < done <= wanted["shape"][0]:
        return 0, 0
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            if list(shape) != wanted["shape"] or dtype.str != wanted["dtype"] or fortran:
                return 0, 0
            left, check = done * shape[1] * dtype.itemsize, 0
            while data := file.read(min(left, _BLOCK)):
                left, check = left - len(data), zlib.crc32(data, check)
            return (0, 0) if left or noted not in (None, check) else (done, check)
    except (OSError, ValueError, IndexError):
        return 0, 0


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
