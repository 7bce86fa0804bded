"""A column of Parquet files, such as DiffusionDB's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...data.images.packed import open_parquet
from ...data.notes import Notes
from ...data.readers.parquet import rows_of
from ..errors import SelectionError
from .source import USUAL, Source, column_of


def parquet_rows(files: Sequence[Path], column: str) -> Source:
    """The cells of their column of prompts, file by file. Raises MissingPackageError at once where pyarrow is not installed."""
    names = [column_in(file, column) for file in files]

    def rows(notes: Notes) -> Iterator[str | None]:
        for file, name in zip(files, names):
            for number, row in rows_of(file, {name}, notes):
                text = row[name]
                if text is None or isinstance(text, str):
                    yield text or ""
                else:
                    notes.add(
                        f"{file.name}, row {number}", f"found {type(text).__name__} in {name}; expected text"
                    )
                    yield None

    return Source("Parquet with the prompts in the column prompt", rows)


def column_in(file: Path, wanted: str, usual: Sequence[str] = USUAL, option: str = "--column") -> str:
    """The name of a column; see :func:`.source.column_of`.

    Raises:
        SelectionError: There is none, or the file is no Parquet.
    """
    try:
        names: list[str] = open_parquet(file).schema_arrow.names
    except (OSError, ValueError) as error:
        raise SelectionError(f"{file}: cannot be read as Parquet ({error}); check the file") from error
    return names[column_of(names, wanted, str(file), usual, option)]
