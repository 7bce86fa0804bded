"""Queries as walks along an index: which files, in which order, from where on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from ...files.values import find_text, to_name
from .files import find_folder
from .records import Query, Row
from .scores import find_scorer

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Wanted:
    """A query in the numbers of one library.

    Attributes:
        query: As it was asked.
        scorer: Number of the scorer; 0 where none is asked for or it has never scored here.
        folder, prompt: Their numbers; None for all.
    """

    query: Query
    scorer: int
    folder: int | None
    prompt: int | None

    @property
    def ranged(self) -> bool:
        """Whether only scores of some size are wanted."""
        return self.query.minimum is not None or self.query.maximum is not None


@dataclass(frozen=True)
class Source:
    """Files in the order of an index.

    Attributes:
        table: What stands behind FROM.
        file, folder: The columns with the numbers of file and folder.
        key: The columns it is ordered by; together they are unique.
        conditions, values: What stands behind WHERE, and what for its question marks.
        descending: Whether the order is from the greatest key down.
        merges: Whether the order of each folder is that of an index, too.
        hits: What stands behind FROM where files are found by a text first and brought into order then.
    """

    table: str
    file: str
    folder: str
    key: tuple[str, ...]
    conditions: str
    values: Values
    descending: bool = False
    merges: bool = True
    hits: str = "files"

    @property
    def order(self) -> str:
        """The text behind ORDER BY."""
        return ", ".join(f"{column}{' DESC' if self.descending else ''}" for column in self.key)

    def beyond(self, key: Values | None) -> tuple[str, Values]:
        """The condition for what comes behind ``key``."""
        if key is None:
            return "1", ()
        sign = "<" if self.descending else ">"
        return f"({', '.join(self.key)}) {sign} ({', '.join('?' * len(key))})", key


def resolve(connection: sqlite3.Connection, query: Query) -> Wanted | None:
    """The query in this library's numbers; None where nothing can fit, such as an unknown folder or prompt."""
    folder = None if query.folder is None else find_folder(connection, query.folder)
    prompt = None if query.prompt is None else find_text(connection, query.prompt)
    scorer = 0 if query.key is None else find_scorer(connection, query.key) or 0
    if (query.folder is not None and folder is None) or (query.prompt is not None and prompt is None):
        return None
    return Wanted(query, scorer, folder, prompt)


def sources(wanted: Wanted) -> list[Source]:
    """The parts of a page, one after the other."""
    query = wanted.query
    if query.order == "name":
        return [by_name(wanted)]
    if query.order == "newest":
        return [by_time(wanted)]
    found = []
    if wanted.scorer and query.scored is not False:
        found.append(by_score(wanted))
    if not query.scored and not wanted.ranged:
        found += [*([_without_score(wanted)] if wanted.scorer else []), _not_visited(wanted)]
    return found


def key_in(source: Source, row: Row) -> Values:
    """The place of a row in the order of a source."""
    places = {
        "ranking.negated": -(row.value or 0.0),
        "files.modified": row.modified_ns,
        "folders.path": to_name(row.path.parent),
        "files.name": to_name(row.path.name),
    }
    return tuple(places.get(column, row.file) for column in source.key)


def by_score(wanted: Wanted) -> Source:
    """Files with a score, the best, or for the order ``"worst"`` the worst, first."""
    conditions: list[str] = ["ranking.scorer = ?", "ranking.negated IS NOT NULL"]
    values: list[Any] = [wanted.scorer]
    _add_range(wanted.query, conditions, values)
    return _of_ranking(
        wanted, ("ranking.negated", "ranking.file"), conditions, values, wanted.query.order == "worst"
    )


def by_time(wanted: Wanted) -> Source:
    """Files with or without a score, the last changed first."""
    return _of_files(wanted, ("files.modified", "files.id"), "files", descending=True)


def by_name(wanted: Wanted) -> Source:
    """Files with or without a score, by path."""
    key = ("folders.path", "files.name")
    return _of_files(wanted, key, "files CROSS JOIN folders ON folders.id = files.folder", descending=False)


def _of_files(wanted: Wanted, key: tuple[str, ...], table: str, descending: bool) -> Source:
    conditions, values = _on_files(wanted)
    return Source(
        table=table,
        file="files.id",
        folder="files.folder",
        key=key,
        conditions=" AND ".join(conditions),
        values=tuple(values),
        descending=descending,
        hits=table,
    )


def _without_score(wanted: Wanted) -> Source:
    """Files a scorer has come to and could not score, in the order they were found."""
    conditions = ["ranking.scorer = ?", "ranking.negated IS NULL"]
    return _of_ranking(wanted, ("ranking.file",), conditions, [wanted.scorer], False)


def _not_visited(wanted: Wanted) -> Source:
    """Files a scorer has not come to, in the order they were found."""
    conditions: list[str] = ["files.gone = 0"]
    values: list[Any] = []
    if wanted.scorer:
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM ranking WHERE ranking.scorer = ? AND ranking.file = files.id)"
        )
        values.append(wanted.scorer)
    _add_prompt(wanted, "files.prompt", conditions, values)
    return Source(
        table="files",
        file="files.id",
        folder="files.folder",
        key=("files.id",),
        conditions=" AND ".join(conditions),
        values=tuple(values),
        merges=False,
    )


def _of_ranking(
    wanted: Wanted, key: tuple[str, ...], conditions: list[str], values: list[Any], descending: bool
) -> Source:
    _add_prompt(wanted, "ranking.prompt", conditions, values)
    return Source(
        table="ranking",
        file="ranking.file",
        folder="ranking.folder",
        key=key,
        conditions=" AND ".join(conditions),
        values=tuple(values),
        descending=descending,
        merges=wanted.prompt is None,
        hits="files CROSS JOIN ranking ON ranking.file = files.id",
    )


def _on_files(wanted: Wanted) -> tuple[list[str], list[Any]]:
    query = wanted.query
    conditions: list[str] = ["files.gone = 0"]
    values: list[Any] = []
    if wanted.ranged and query.scored is False:
        conditions.append("0")
    elif wanted.scorer and (query.scored is not None or wanted.ranged):
        inside: list[str] = ["ranking.scorer = ?", "ranking.file = files.id", "ranking.negated IS NOT NULL"]
        values.append(wanted.scorer)
        _add_range(query, inside, values)
        never = "NOT " if query.scored is False else ""
        conditions.append(f"{never}EXISTS (SELECT 1 FROM ranking WHERE {' AND '.join(inside)})")
    elif query.scored or wanted.ranged:
        conditions.append("0")
    _add_prompt(wanted, "files.prompt", conditions, values)
    return conditions, values


def _add_range(query: Query, conditions: list[str], values: list[Any]) -> None:
    for bound, sign in ((query.minimum, "<="), (query.maximum, ">=")):
        if bound is not None:
            conditions.append(f"ranking.negated {sign} ?")
            values.append(-bound)


def _add_prompt(wanted: Wanted, column: str, conditions: list[str], values: list[Any]) -> None:
    if wanted.prompt is not None:
        conditions.append(f"{column} = ?")
        values.append(wanted.prompt)


def text_condition(text: str, one_by_one: bool) -> tuple[str, Values]:
    """The condition for files with ``text``, in any letter case, in their name or prompt.

    ``one_by_one`` where few files will be looked at; where all will be, prompts are searched beforehand.
    """
    if text.isascii():  # many times faster than a function of Python
        for mark in "\\%_":
            text = text.replace(mark, "\\" + mark)
        part, name, prompt = (
            f"%{text}%",
            "CAST(files.name AS TEXT) LIKE ? ESCAPE '\\'",
            "text LIKE ? ESCAPE '\\'",
        )
    else:
        part, name, prompt = text.casefold(), "holds(files.name, ?)", "holds(text, ?)"
    if one_by_one:
        return f"({name} OR EXISTS (SELECT 1 FROM texts WHERE texts.id = files.prompt AND {prompt}))", (
            part,
            part,
        )
    return f"({name} OR files.prompt IN (SELECT id FROM texts WHERE {prompt}))", (part, part)
