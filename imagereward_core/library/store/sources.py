"""Queries as walks along an index: which files, in which order, from where on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...files.values import find_text, to_name
from .files import find_folder
from .records import Query, Row
from .scores import find_scorer

Values = tuple[Any, ...]
Condition = tuple[str, Values]
"""A condition as SQL, and the values for its question marks."""


@dataclass(frozen=True)
class Wanted:
    """A query in the numbers of one library: scorer 0 where none is asked for or it never scored here, folder and prompt None for all."""

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
    conditions = [("ranking.negated IS NOT NULL", ()), *_in_range(wanted.query)]
    return _of_ranking(wanted, ("ranking.negated", "ranking.file"), conditions, wanted.query.order == "worst")


def by_time(wanted: Wanted) -> Source:
    """Files with or without a score, the last changed first."""
    return _of_files(wanted, ("files.modified", "files.id"), _on_score(wanted), descending=True)


def by_name(wanted: Wanted) -> Source:
    """Files with or without a score, by path."""
    table = "files CROSS JOIN folders ON folders.id = files.folder"
    return _of_files(wanted, ("folders.path", "files.name"), _on_score(wanted), table)


def _without_score(wanted: Wanted) -> Source:
    """Files a scorer has come to and could not score, in the order they were found."""
    return _of_ranking(wanted, ("ranking.file",), [("ranking.negated IS NULL", ())])


def _not_visited(wanted: Wanted) -> Source:
    """Files a scorer has not come to, in the order they were found."""
    visited = "SELECT 1 FROM ranking WHERE ranking.scorer = ? AND ranking.file = files.id"
    conditions = [(f"NOT EXISTS ({visited})", (wanted.scorer,))] if wanted.scorer else []
    return _of_files(wanted, ("files.id",), conditions, merges=False)


def _of_ranking(
    wanted: Wanted, key: tuple[str, ...], conditions: Sequence[Condition], descending: bool = False
) -> Source:
    conditions = [("ranking.scorer = ?", (wanted.scorer,)), *conditions]
    where, values = _joined(wanted, "ranking.prompt", conditions)
    hits = "files CROSS JOIN ranking ON ranking.file = files.id"
    merges = wanted.prompt is None
    return Source("ranking", "ranking.file", "ranking.folder", key, where, values, descending, merges, hits)


def _of_files(
    wanted: Wanted,
    key: tuple[str, ...],
    conditions: Sequence[Condition],
    table: str = "files",
    descending: bool = False,
    merges: bool = True,
) -> Source:
    where, values = _joined(wanted, "files.prompt", [("files.gone = 0", ()), *conditions])
    return Source(table, "files.id", "files.folder", key, where, values, descending, merges, table)


def _on_score(wanted: Wanted) -> list[Condition]:
    """The conditions for files of which it matters whether they have a score, and which."""
    query = wanted.query
    if query.scored is None and not wanted.ranged:
        return []
    if (query.scored is False and wanted.ranged) or (not wanted.scorer and query.scored is not False):
        return [("0", ())]
    if not wanted.scorer:
        return []
    found = [("ranking.scorer = ?", (wanted.scorer,)), ("ranking.file = files.id", ())]
    where, values = _and([*found, ("ranking.negated IS NOT NULL", ()), *_in_range(query)])
    never = "NOT " if query.scored is False else ""
    return [(f"{never}EXISTS (SELECT 1 FROM ranking WHERE {where})", values)]


def _in_range(query: Query) -> list[Condition]:
    bounds = ((query.minimum, "<="), (query.maximum, ">="))
    return [(f"ranking.negated {sign} ?", (-bound,)) for bound, sign in bounds if bound is not None]


def _joined(wanted: Wanted, column: str, conditions: Sequence[Condition]) -> Condition:
    """All conditions, and that for the prompt that is asked for."""
    return _and([*conditions, *([] if wanted.prompt is None else [(f"{column} = ?", (wanted.prompt,))])])


def _and(conditions: Sequence[Condition]) -> Condition:
    values = tuple(value for _, some in conditions for value in some)
    return " AND ".join(text for text, _ in conditions), values


def text_condition(text: str, one_by_one: bool) -> tuple[str, Values]:
    """The condition for files with ``text``, in any letter case, in their name or prompt.

    ``one_by_one`` where few files will be looked at; where all will be, prompts are searched beforehand.
    """
    if text.isascii():  # many times faster than a function of Python
        for mark in "\\%_":
            text = text.replace(mark, "\\" + mark)
        name, prompt = "CAST(files.name AS TEXT) LIKE ? ESCAPE '\\'", "text LIKE ? ESCAPE '\\'"
        part = f"%{text}%"
    else:
        part, name, prompt = text.casefold(), "holds(files.name, ?)", "holds(text, ?)"
    held = f"files.prompt IN (SELECT id FROM texts WHERE {prompt})"
    if one_by_one:
        held = f"EXISTS (SELECT 1 FROM texts WHERE texts.id = files.prompt AND {prompt})"
    return f"({name} OR {held})", (part, part)
