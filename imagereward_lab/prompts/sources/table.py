"""A column of a table as CSV, parted by commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from imagereward_core.files.regular import open_regular

from ...data.notes import Notes
from ..errors import SelectionError
from .source import Source, column_of
from .text import decoded, encoding_of, whole

_HEAD = 2**16


def table_rows(file: Path, column: str, encoding: str) -> Source:
    """The cells of its column of prompts; errors as of :func:`.text.text_rows`, and where there is no such column."""
    known = encoding_of(encoding)

    def rows(notes: Notes) -> Iterator[str | None]:
        with decoded(open_regular(file), known, file.name) as stream:
            try:
                header = whole(stream.readline(_HEAD), known, f"{file.name}, line 1")
                delimiter = max(",;\t", key=header.count)
                names = next(csv.reader([header], delimiter=delimiter), [])
                place = column_of(names, column, str(file))
                cells = csv.reader(stream, delimiter=delimiter)
                yield from _cells(cells, place, f"{file.name}, line ", known, notes)
            except UnicodeError as error:
                raise SelectionError(
                    f"{file.name}: cannot be read as {known} ({error}); say its encoding, such as --encoding latin-1"
                ) from error

    return Source("a table with the prompts in the column prompt", rows)


def _cells(
    cells: Iterator[list[str]], place: int, where: str, encoding: str, notes: Notes
) -> Iterator[str | None]:
    number = 1  # the header's; only behind a row that is whole does the reader know better
    while True:
        try:
            row = next(cells, None)
            number = getattr(cells, "line_num", 0) + 1
            if row is None:
                return
            if row:  # an empty line is no row
                yield whole(row[place], encoding, f"{where}{number}") if place < len(row) else ""
        except csv.Error as error:
            notes.add(f"{where}{number}", str(error))
            yield None
