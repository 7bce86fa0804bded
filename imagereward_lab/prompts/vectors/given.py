"""Vectors that another program made: a matrix as ``.npy``, or a column of lists in Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagereward_core.weights.manifest import sha256_of

from ...data.images.packed import open_parquet
from ..errors import SelectionError
from ..sources.collected import Prompts
from ..sources.packed import column_in

USUAL = ("embedding", "embeddings", "vector", "vectors")
_AT_ONCE = 8192


@dataclass(frozen=True)
class Given:
    """Vectors in a file, of which some rows are those of prompts.

    Attributes:
        path: The file.
        index: int64 [N], the row of each prompt, ascending.
        width: How many numbers a vector has.
        column: Of Parquet; empty for ``.npy``.
    """

    path: Path
    index: NDArray[np.int64]
    width: int
    column: str = ""

    @property
    def label(self) -> str:
        """Names what the vectors depend on."""
        return f"{sha256_of(self.path)} {self.column}".strip()

    def rows(self, begin: int) -> Iterator[NDArray[np.float32]]:
        """The prompts' vectors from ``begin`` on, brought to length 1, some at a time.

        Raises:
            SelectionError: One holds NaN or infinity, is zero, or has another length.
        """
        parts = self._of_parquet(begin) if self.column else self._of_npy(begin)
        for first, part in parts:
            yield self._normalised(part, self.index[first : first + len(part)])

    def _of_npy(self, begin: int) -> Iterator[tuple[int, NDArray[Any]]]:
        matrix = _matrix(self.path)
        for start in range(begin, len(self.index), _AT_ONCE):
            yield start, matrix[self.index[start : start + _AT_ONCE]]

    def _of_parquet(self, begin: int) -> Iterator[tuple[int, NDArray[Any]]]:
        row = 0
        for batch in open_parquet(self.path).iter_batches(batch_size=_AT_ONCE, columns=[self.column]):
            low, high = np.searchsorted(self.index, (row, row + len(batch)))
            low = max(int(low), begin)
            if low < high:
                wanted = self.index[low:high] - row
                yield low, self._lists(batch.column(0), wanted, row)
            row += len(batch)

    def _lists(self, column: Any, wanted: NDArray[np.int64], row: int) -> NDArray[Any]:
        lengths = np.asarray(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), np.int64)
        if len(odd := np.flatnonzero(lengths != self.width)):
            raise SelectionError(
                f"{self.path}, row {row + int(odd[0]) + 1}: found a vector of {lengths[odd[0]]} numbers; expected {self.width}, as in "
                "the first row"
            )
        flat = np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float64)
        return flat.reshape(-1, self.width)[wanted]

    def _normalised(self, part: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        wide = part.astype(np.float64)
        # By the largest number first, since squares of very large or small ones leave the range of numbers.
        largest = np.abs(wide).max(axis=1, keepdims=True)
        for wrong, found in (
            (~np.isfinite(wide).all(axis=1), "NaN or infinity"),
            (largest[:, 0] == 0, "nothing but zeros"),
        ):
            if wrong.any():
                at = np.flatnonzero(wrong)
                more = f", and in {len(at) - 1:,} of the rows behind it" if len(at) > 1 else ""
                raise SelectionError(
                    f"{self.path}, row {int(rows[at[0]]) + 1}: found {found} in the vector{more}; expected ordinary numbers, since a "
                    "direction "
                    "is needed. Make these vectors anew, or leave the prompts out"
                )
        wide /= largest
        return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)


def given_vectors(path: Path, prompts: Prompts, column: str = "") -> Given:
    """The vectors of prompts in a file that has one for every row of prompts, or for every row that has a prompt.

    Args:
        path: ``.npy`` with float [rows, width], or Parquet.
        prompts: As they were read.
        column: Of Parquet; empty for the usual names.

    Raises:
        SelectionError: It is no such file, or has another number of rows.
        MissingPackageError: pyarrow is needed and not installed.
    """
    if not path.is_file():
        raise SelectionError(f"{path}: there is no such file; expected vectors as .npy or Parquet")
    if path.suffix.lower() in (".parquet", ".pq"):
        count, width, name = _of_parquet(path, column)
    elif column:
        raise SelectionError(f"--vectors-column goes with Parquet; {path} is none. Leave it out")
    else:
        (count, width), name = _matrix(path).shape, ""
    if count == prompts.kept:
        index = prompts.places
    elif count == prompts.total:
        index = prompts.rows
    else:
        rows = f" or {prompts.total:,}, one for every row" if prompts.total != prompts.kept else ""
        raise SelectionError(
            f"{path}: found {count:,} vectors; expected {prompts.kept:,}, one for every row with a prompt{rows}, in the order of the "
            "prompts"
        )
    return Given(path, index, width, name)


def _matrix(path: Path) -> NDArray[Any]:
    """The matrix, mapped from its file."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SelectionError(
            f"{path}: cannot be read as .npy ({error}); expected a matrix of numbers as numpy.save writes it, or Parquet"
        ) from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind != "f" or not found.shape[1]:
        what = f"{found.dtype} {list(found.shape)}" if isinstance(found, np.ndarray) else "several arrays"
        raise SelectionError(
            f"{path}: found {what}; expected float16, float32 or float64 [rows, width], a vector in each row"
        )
    return found


def _of_parquet(path: Path, column: str) -> tuple[int, int, str]:
    """Number of rows, width of the first vector, and name of the column."""
    from pyarrow import types

    name = column_in(path, column, USUAL, "--vectors-column")
    file = open_parquet(path)
    kind = file.schema_arrow.field(name).type
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    if not lists or not types.is_floating(kind.value_type):
        raise SelectionError(
            f"{path}: found {kind} in the column {name}; expected lists of floating-point numbers"
        )
    first = next(file.iter_batches(batch_size=1, columns=[name]), None)
    width = (
        0
        if first is None or not len(first) or first.column(0)[0].as_py() is None
        else len(first.column(0)[0])
    )
    if not width:
        raise SelectionError(
            f"{path}: found no vector in the first row of the column {name}; expected a list of numbers"
        )
    return file.metadata.num_rows, width, name
