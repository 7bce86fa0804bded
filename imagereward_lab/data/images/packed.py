"""Images inside larger files, read in place: members of ZIP archives, and cells of Parquet files."""

from __future__ import annotations

import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

from imagereward_core.errors import ImageError
from imagereward_core.files.regular import open_regular

from ..extras import pyarrow_parquet

_OPEN = 8
_CACHED_BYTES = 256 * 2**20


class ZipMembers:
    """Members of ZIP archives by name; a few archives stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, zipfile.ZipFile] = OrderedDict()
        self._turn = threading.Lock()

    def read(self, file: Path, member: str, most: int) -> bytes:
        """The bytes of a member, at most one more than ``most``.

        Raises:
            FileNotFoundError, OSError, ValueError, RuntimeError, zipfile.BadZipFile: As the archive's module raises them.
        """
        with self._turn:
            archive = self._archive(file)
            try:
                with archive.open(member) as stream:
                    return stream.read(most + 1)
            except KeyError as error:
                raise FileNotFoundError(member) from error

    def _archive(self, file: Path) -> zipfile.ZipFile:
        if file not in self._open:
            stream = open_regular(file)
            try:
                self._open[file] = zipfile.ZipFile(stream)
            except BaseException:
                stream.close()
                raise
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(file)
        return self._open[file]


class ParquetColumns:
    """Cells of Parquet files that hold the bytes of pictures; a few files stay open, and the row groups last read are kept.

    A cell is bytes, or, as the package datasets writes images, a structure with a field ``bytes``, or a list of these.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Any] = OrderedDict()
        self._groups: OrderedDict[tuple[Path, int, str], Any] = OrderedDict()
        self._bytes = 0
        self._turn = threading.Lock()

    def read(self, file: Path, place: str, most: int) -> bytes:
        """The bytes in ``row/column``, or in ``row/column/place`` of a list.

        Raises:
            FileNotFoundError: There is no such file, row or column.
            ImageError: pyarrow is missing, or the cell holds no bytes.
            OSError, ValueError: As pyarrow raises them.
        """
        number, _, column = place.partition("/")
        column, _, item = column.partition("/")
        if not _is_number(number) or (item and not _is_number(item)):
            raise ImageError(
                f"{file.name}#{place}: found no row; expected a name such as {file.name}#0/jpg_0"
            )
        with self._turn:
            cell = self._cell(file, int(number), column)
        if item and isinstance(cell, list):
            cell = cell[int(item)] if int(item) < len(cell) else None
        if isinstance(cell, dict):
            cell = cell.get("bytes")
        if not isinstance(cell, bytes):
            raise ImageError(
                f"{file.name}#{place}: found {type(cell).__name__}; expected the bytes of a picture"
            )
        return cell[: most + 1]

    def _cell(self, file: Path, row: int, column: str) -> Any:
        table = self._file(file)
        if column not in table.schema_arrow.names:
            raise FileNotFoundError(column)
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            if row < rows:
                return self._group(file, table, group, column, row)
            row -= rows
        raise FileNotFoundError(str(row))

    def _group(self, file: Path, table: Any, group: int, column: str, row: int) -> Any:
        key = (file, group, column)
        if key in self._groups:
            self._groups.move_to_end(key)
            return self._groups[key].column(0)[row].as_py()
        facts = table.metadata.row_group(group)
        size = sum(
            facts.column(index).total_uncompressed_size
            for index in range(facts.num_columns)
            if facts.column(index).path_in_schema.split(".")[0] == column
        )
        if size > _CACHED_BYTES:  # too much to keep: read on to the row, a few at a time
            for batch in table.iter_batches(
                batch_size=4, row_groups=[group], columns=[column], use_threads=False
            ):
                if row < batch.num_rows:
                    return batch.column(0)[row].as_py()
                row -= batch.num_rows
            raise FileNotFoundError(str(row))
        kept = table.read_row_group(group, columns=[column], use_threads=False)
        self._groups[key] = kept
        self._bytes += kept.nbytes
        while self._bytes > _CACHED_BYTES and len(self._groups) > 1:
            self._bytes -= self._groups.popitem(last=False)[1].nbytes
        return kept.column(0)[row].as_py()

    def _file(self, file: Path) -> Any:
        if file not in self._open:
            self._open[file] = open_parquet(file)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(file)
        return self._open[file]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12


def open_parquet(file: Path) -> Any:
    """A Parquet file as pyarrow's ``ParquetFile``, read by pages and not mapped whole.

    Raises:
        RankingError: pyarrow is missing.
        OSError, ValueError: It is not there, or no Parquet file.
    """
    parquet = pyarrow_parquet()
    return parquet.ParquetFile(open_regular(file), pre_buffer=False, buffer_size=2**20)
