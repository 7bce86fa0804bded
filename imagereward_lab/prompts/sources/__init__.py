"""Where prompts come from: lines of a text, a column of a table or of Parquet, the pictures of a library or folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from imagereward_core.files.regular import is_folder

from ...data.notes import Notes
from ...data.readers.parquet import parquet_files
from ..errors import SelectionError
from .collected import Prompts
from .folder import has_library, library_rows, picture_rows
from .packed import parquet_rows
from .source import Source
from .table import table_rows
from .text import text_rows

STDIN = "-"
_TABLES = (".csv", ".tsv")
_PARQUET = (".parquet", ".pq")


def read_prompts(
    path: str,
    notes: Notes,
    column: str = "",
    encoding: str = "",
    progress: Callable[[int], None] | None = None,
) -> tuple[Prompts, str]:
    """The different prompts of a file or folder, and what it was read as, in words.

    Args:
        path: A text with a prompt on each line, a table (``.csv``, ``.tsv``), Parquet, a folder with a library, pictures or Parquet files,
            or ``-`` for lines on stdin.
        notes: Where rows are noted that were left out.
        column: Of a table or Parquet; empty for the usual names.
        encoding: Of a text or table; empty for UTF-8.
        progress: Told now and then how many rows were read.

    Raises:
        SelectionError: There is nothing, it cannot be read as what it seems to be, or it has no prompt.
        MissingPackageError: pyarrow is needed and not installed.
        OSError: It cannot be read.
    """
    source = _source(path, column, encoding)
    prompts = Prompts(source.rows(notes), notes, progress)
    if not len(prompts):
        first = next(iter(notes), None)
        why = f" The first thing that was left out: {first}" if first else ""
        raise SelectionError(f"{path}: found no prompt; expected {source.title}.{why}")
    return prompts, source.title


def _source(path: str, column: str, encoding: str) -> Source:
    if path == STDIN:
        return _only(text_rows(sys.stdin.buffer, "stdin", encoding), column, path)
    file = Path(path)
    if not file.exists():
        raise SelectionError(f"{path}: there is no such file or folder; expected prompts. Check the path")
    if is_folder(file):
        if has_library(file):
            return _only(library_rows(file), column, path)
        packed = parquet_files(file)
        return parquet_rows(packed, column) if packed else _only(picture_rows(file), column, path)
    if file.suffix.lower() in _PARQUET:
        return parquet_rows([file], column)
    if file.suffix.lower() in _TABLES:
        return table_rows(file, column, encoding)
    return _only(text_rows(file, file.name, encoding), column, path)


def _only(source: Source, column: str, path: str) -> Source:
    """A source without columns.

    Raises:
        SelectionError: A column was asked for.
    """
    if column:
        raise SelectionError(
            f"--column {column}: {path} was taken for {source.title}, which has no columns; leave it out, or name a file that ends in "
            ".csv, "
            ".tsv or .parquet"
        )
    return source
