"""Rows that people and rules read, from the numbers of files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...files.values import StrangeValueError, check_below, file_from, folder_from, unsigned
from .records import Generated, Row

_AT_ONCE = 500
"""Files of one statement: every SQLite takes at least 999 question marks."""

_FILES = """
SELECT files.id, files.folder, files.name, pictures.hash, pictures.width, pictures.height, files.size, files.modified,
    ranking.negated, ranking.problem, files.problem, pictures.stars, pictures.decision, pictures.fingerprint, files.fixed, files.seed,
    ranking.cut, files.prompt, files.own, files.written, files.negative, files.origin, files.generator, files.model, files.loras,
    files.missing, files.notes, files.picture_note
FROM files
LEFT JOIN pictures ON pictures.id = files.picture
LEFT JOIN ranking ON ranking.scorer = ? AND ranking.file = files.id
WHERE files.id IN ({marks})
"""
_TEXTS = 16
"""From this column on they are numbers of texts."""
_DECISIONS = {None: None, 0: False, 1: True}


def rows_of(
    connection: sqlite3.Connection, scorer: int, files: Sequence[int], below: Path | None = None
) -> Iterator[Row]:
    """The rows of files, in the order of their numbers given, with the scores of a scorer (0 for none); unknown ones are left out.

    Raises:
        StrangeValueError: A value is none of ours, or a file does not lie in ``below``; never that for None, which is anywhere.
    """
    known = connection.execute("SELECT reads_prompt FROM scorers WHERE id = ?", (scorer,)).fetchone()
    reads_prompt = known is None or bool(known[0])
    for start in range(0, len(files), _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        sql = _FILES.format(marks=",".join("?" * len(some)))
        found = {row[0]: row for row in connection.execute(sql, (scorer, *some))}
        block = _Block(
            _named(
                connection, "texts", "text", (number for row in found.values() for number in row[_TEXTS:])
            ),
            _named(connection, "folders", "path", (row[1] for row in found.values())),
            reads_prompt,
            below,
        )
        for file in some:
            if file in found:
                try:
                    row = block.row(found[file])
                except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                    raise StrangeValueError(f"the row of file {file} cannot be read: {error}") from error
                yield row


def _named(
    connection: sqlite3.Connection, table: str, column: str, numbers: Iterable[int | None]
) -> dict[int | None, Any]:
    """One column of a table by the numbers of its rows; of many files that share a text it is read once."""
    wanted = list({number for number in numbers if number is not None})
    found: dict[int | None, Any] = {None: ""}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        found.update(connection.execute(f"SELECT id, {column} FROM {table} WHERE id IN ({marks})", some))
    return found


@lru_cache(maxsize=1024)
def _listed(names: str) -> tuple[str, ...]:
    return tuple(json.loads(names)) if names else ()


class _Block:
    """Makes rows of files that were read together, whose texts and folders are given by number.

    ``reads_prompt`` says whether a missing prompt is a reason for having no score; ``below`` is the folder in which they have to lie.
    """

    def __init__(
        self,
        texts: Mapping[int | None, str],
        folders: Mapping[int | None, str | bytes],
        reads_prompt: bool,
        below: Path | None,
    ) -> None:
        self.texts, self.reads_prompt = texts, reads_prompt
        self.folders = {number: folder_from(path) for number, path in folders.items() if number is not None}
        for folder in self.folders.values():
            check_below(folder, below)

    def row(self, found: tuple[Any, ...]) -> Row:
        """The row of one file."""
        (
            (file, folder, name, content, width, height, size, modified),
            (negated, unscored, undecoded, stars, decision, fingerprint, fixed, seed),
            numbers,
        ) = found[:8], found[8:_TEXTS], found[_TEXTS:]
        texts = map(self.texts.__getitem__, numbers)
        cut, shown, own, written, negative, origin, generator, model, loras, missing, notes, seen = texts
        generated = Generated(
            written=shown if fixed else written,
            prompt=shown if fixed else own,
            negative=negative,
            origin="option" if fixed else origin,
            generator=generator,
            model=model,
            loras=_listed(loras),
            seed=seed,
            problem="" if fixed else missing,
            notes="" if fixed else notes,
            picture_note=seen,
        )
        no_prompt = generated.problem if self.reads_prompt else ""
        return Row(
            file=file,
            path=file_from(self.folders[folder], name),
            content=content.hex() if content else "",
            width=width or 0,
            height=height or 0,
            size=max(0, size),
            modified_ns=modified,
            generated=generated,
            value=None if negated is None else -negated,
            cut=cut,
            problem="" if negated is not None else undecoded or unscored or no_prompt,
            stars=stars,
            decision=_DECISIONS[decision],
            fingerprint=unsigned(fingerprint),
        )
