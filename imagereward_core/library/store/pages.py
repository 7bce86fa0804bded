"""Ranked pages: the numbers of the files of a query, in order, from any place on, without reading what comes before.

Every order is that of an index, and a page begins where the last one ended (keyset pagination), so its cost does not grow with
its place. Pages of a folder and all below it are merged from the folders' own orders: of thousands of folders, those are looked
into whose first file is good enough.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..records import Query, Row
from .files import BELOW, find_folder
from .scoring import find_scorer
from .values import find_text, from_name, to_name

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Wanted:
    """A query in the numbers of one library.

    Attributes:
        query: As it was asked.
        scorer: Number of the scorer; 0 where none is asked for or it has never scored here.
        folder: Number of the folder; None for all.
        prompt: Number of the prompt; None for all.
    """

    query: Query
    scorer: int
    folder: int | None
    prompt: int | None


def resolve(connection: sqlite3.Connection, query: Query) -> Wanted | None:
    """The query in this library's numbers; None where nothing can fit, such as an unknown folder or prompt."""
    folder = None if query.folder is None else find_folder(connection, query.folder)
    prompt = None if query.prompt is None else find_text(connection, query.prompt)
    scorer = 0 if query.key is None else find_scorer(connection, query.key) or 0
    if (query.folder is not None and folder is None) or (query.prompt is not None and prompt is None):
        return None
    return Wanted(query, scorer, folder, prompt)


def file_numbers(connection: sqlite3.Connection, wanted: Wanted, after: Row | None, limit: int) -> list[int]:
    """The numbers of the next ``limit`` files behind ``after`` in the order of the query."""
    query = wanted.query
    if query.order == "name":
        return list(islice(_by_name(connection, wanted, after), limit))
    if query.order == "newest":
        key = None if after is None else (after.modified_ns, after.file)
        return _ordered(connection, wanted, _Newest(wanted), key, limit)
    found: list[int] = []
    if query.scored is not False and (after is None or after.value is not None):
        key = None if after is None else (-(after.value or 0.0), after.file)
        found = _ordered(connection, wanted, _Ranked(wanted), key, limit)
    ranged = query.minimum is not None or query.maximum is not None
    if len(found) == limit or query.scored or ranged:
        return found
    last = after.file if after is not None and after.value is None else None
    return found + _without_score(connection, wanted, last, limit - len(found))


def count(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """How many files fit."""
    query = wanted.query
    total = 0
    if query.scored is not False and wanted.scorer:
        total += _count(connection, wanted, _Ranked(wanted))
    if query.scored or query.minimum is not None or query.maximum is not None:
        return total
    everything = _count(connection, wanted, _Newest(Wanted(query, 0, wanted.folder, wanted.prompt)))
    if query.scored is None:
        return everything
    return everything - (_count(connection, wanted, _Ranked(wanted)) if wanted.scorer else 0)


def scores_in_range(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[float]:
    """All scores that fit, best first within each folder asked for."""
    source = _Ranked(wanted)
    for where, values in _scopes(connection, wanted):
        sql = f"SELECT -negated FROM {source.table} WHERE {source.conditions} {where}"
        for (value,) in connection.execute(sql, (*source.values, *values)):
            yield value


def undecoded(connection: sqlite3.Connection, folder: Path | None) -> list[tuple[Path, str]]:
    """Files that could not be decoded, with the reasons, by path."""
    number = None if folder is None else find_folder(connection, folder)
    if folder is not None and number is None:
        return []
    below, first = ("", ()) if number is None else (BELOW, (number,))
    where = "" if number is None else "AND files.folder IN (SELECT id FROM below)"
    rows = connection.execute(
        f"{below}SELECT folders.path, files.name, files.problem FROM files JOIN folders ON folders.id = files.folder "
        f"WHERE files.gone = 0 AND files.problem <> '' {where} ORDER BY folders.path, files.name",
        first,
    )
    return [(Path(from_name(path), from_name(name)), problem) for path, name, problem in rows]


class _Ranked:
    """Files with a score, by score."""

    def __init__(self, wanted: Wanted) -> None:
        query = wanted.query
        self.key = ("ranking.negated", "ranking.file")
        self.descending = query.order == "worst"
        self.file = "ranking.file"
        self.folder = "ranking.folder"
        self.table = "ranking"
        conditions, values = ["ranking.scorer = ?", "ranking.negated IS NOT NULL"], [wanted.scorer]
        if wanted.prompt is not None:
            conditions.append("ranking.prompt = ?")
            values.append(wanted.prompt)
        if query.minimum is not None:
            conditions.append("ranking.negated <= ?")
            values.append(-query.minimum)  # type: ignore[arg-type]
        if query.maximum is not None:
            conditions.append("ranking.negated >= ?")
            values.append(-query.maximum)  # type: ignore[arg-type]
        if query.text:
            self.table += " JOIN files ON files.id = ranking.file"
        _add_text(query.text, conditions, values)
        self.conditions, self.values = " AND ".join(conditions), tuple(values)


class _Newest:
    """All files, by the time of their last change."""

    def __init__(self, wanted: Wanted) -> None:
        query = wanted.query
        self.key = ("files.modified", "files.id")
        self.descending = True
        self.file = "files.id"
        self.folder = "files.folder"
        self.table = "files"
        conditions: list[str] = ["files.gone = 0"]
        values: list[Any] = []
        _add_scored(wanted, conditions, values)
        if wanted.prompt is not None:
            conditions.append("files.prompt = ?")
            values.append(wanted.prompt)
        _add_text(query.text, conditions, values)
        self.conditions, self.values = " AND ".join(conditions), tuple(values)


def _add_scored(wanted: Wanted, conditions: list[str], values: list[Any]) -> None:
    """Conditions on the score of a file, where files and not scores are walked through."""
    query = wanted.query
    ranged = query.minimum is not None or query.maximum is not None
    if not wanted.scorer:
        if query.scored or ranged:
            conditions.append("0")
        return
    if query.scored is None and not ranged:
        return
    inner = "SELECT 1 FROM ranking WHERE ranking.scorer = ? AND ranking.file = files.id AND ranking.negated IS NOT NULL"
    values.append(wanted.scorer)
    if query.minimum is not None:
        inner += " AND ranking.negated <= ?"
        values.append(-query.minimum)
    if query.maximum is not None:
        inner += " AND ranking.negated >= ?"
        values.append(-query.maximum)
    conditions.append(f"{'NOT ' if query.scored is False else ''}EXISTS ({inner})")


def _add_text(text: str, conditions: list[str], values: list[Any]) -> None:
    if text:
        part = text.casefold()
        conditions.append(
            "(holds(files.name, ?) OR holds((SELECT text FROM texts WHERE texts.id = files.prompt), ?))"
        )
        values.extend((part, part))


_Source = "_Ranked | _Newest"


def _beyond(source: Any, key: Key | None) -> tuple[str, Key]:
    """The condition for what comes behind ``key`` in the order of a source."""
    if key is None:
        return "", ()
    sign = "<" if source.descending else ">"
    return f"AND ({', '.join(source.key)}) {sign} ({', '.join('?' * len(key))})", key


def _direction(source: Any) -> str:
    return ", ".join(f"{column}{' DESC' if source.descending else ''}" for column in source.key)


def _ordered(
    connection: sqlite3.Connection, wanted: Wanted, source: Any, key: Key | None, limit: int
) -> list[int]:
    """The first ``limit`` files of a source behind ``key``."""
    beyond, behind = _beyond(source, key)
    select = f"SELECT {source.file}, {', '.join(source.key)} FROM {source.table} WHERE {source.conditions} {beyond}"
    order = f"ORDER BY {_direction(source)} LIMIT {limit}"
    if wanted.folder is None or wanted.prompt is not None:
        below = "" if wanted.folder is None else f"AND {source.folder} IN (SELECT id FROM below)"
        with_folders = "" if wanted.folder is None else BELOW
        first = () if wanted.folder is None else (wanted.folder,)
        rows = connection.execute(
            f"{with_folders}{select} {below} {order}", (*first, *source.values, *behind)
        )
        return [row[0] for row in rows]
    best = "max" if source.descending else "min"
    leading = source.key[0]
    folders = connection.execute(
        f"{BELOW}SELECT id, (SELECT {leading} FROM {source.table} WHERE {source.folder} = below.id AND {source.conditions} {beyond} "
        f"ORDER BY {_direction(source)} LIMIT 1) AS first FROM below WHERE first IS NOT NULL "
        f"ORDER BY first {'DESC' if best == 'max' else 'ASC'} LIMIT {limit}",
        (wanted.folder, *source.values, *behind),
    ).fetchall()
    streams = [
        connection.execute(f"{select} AND {source.folder} = ? {order}", (*source.values, *behind, folder))
        for folder, _ in folders
    ]
    merged = heapq.merge(*streams, key=lambda row: row[1:], reverse=source.descending)
    return [row[0] for row in islice(merged, limit)]


def _scopes(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[tuple[str, Key]]:
    """Conditions that together stand for the folders asked for."""
    if wanted.folder is None:
        yield "", ()
        return
    for (folder,) in connection.execute(f"{BELOW}SELECT id FROM below", (wanted.folder,)).fetchall():
        yield "AND folder = ?", (folder,)


def _count(connection: sqlite3.Connection, wanted: Wanted, source: Any) -> int:
    total = 0
    for where, values in _scopes(connection, wanted):
        where = where.replace("folder", source.folder)
        sql = f"SELECT count(*) FROM {source.table} WHERE {source.conditions} {where}"
        total += connection.execute(sql, (*source.values, *values)).fetchone()[0]
    return total


def _without_score(connection: sqlite3.Connection, wanted: Wanted, last: int | None, limit: int) -> list[int]:
    """Files without a score behind number ``last``: those a scorer could not score and those it has not come to."""
    conditions, values = ["files.gone = 0", "files.id > ?"], [-1 if last is None else last]
    if wanted.scorer:
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM ranking WHERE ranking.scorer = ? AND ranking.file = files.id AND ranking.negated IS NOT NULL)"
        )
        values.append(wanted.scorer)
    if wanted.prompt is not None:
        conditions.append("files.prompt = ?")
        values.append(wanted.prompt)
    _add_text(wanted.query.text, conditions, values)
    below, first = ("", []) if wanted.folder is None else (BELOW, [wanted.folder])
    if wanted.folder is not None:
        conditions.append("files.folder IN (SELECT id FROM below)")
    sql = (
        f"{below}SELECT files.id FROM files WHERE {' AND '.join(conditions)} ORDER BY files.id LIMIT {limit}"
    )
    return [row[0] for row in connection.execute(sql, (*first, *values))]


def _by_name(connection: sqlite3.Connection, wanted: Wanted, after: Row | None) -> Iterator[int]:
    """Files by path: folder after folder, in each by name."""
    conditions: list[str] = ["files.gone = 0"]
    values: list[Any] = []
    _add_scored(wanted, conditions, values)
    if wanted.prompt is not None:
        conditions.append("files.prompt = ?")
        values.append(wanted.prompt)
    _add_text(wanted.query.text, conditions, values)
    sql = f"SELECT id FROM files WHERE folder = ? AND name > ? AND {' AND '.join(conditions)} ORDER BY name"
    for folder, name in _folders_by_path(connection, wanted, after):
        for (file,) in connection.execute(sql, (folder, name, *values)):
            yield file


def _folders_by_path(
    connection: sqlite3.Connection, wanted: Wanted, after: Row | None
) -> list[tuple[int, Any]]:
    """The folders from that of ``after`` on, each with the name behind which its files are wanted."""
    below, first, where = "", (), "1"
    if wanted.folder is not None:
        below, first, where = BELOW, (wanted.folder,), "id IN (SELECT id FROM below)"  # type: ignore[assignment]
    start = None if after is None else to_name(after.path.parent)
    beyond = "" if start is None else "AND path >= ?"
    rows = connection.execute(
        f"{below}SELECT id, path FROM folders WHERE {where} {beyond} ORDER BY path",
        (*first, *(() if start is None else (start,))),
    )
    return [
        (folder, to_name(after.path.name) if after is not None and path == start else "")
        for folder, path in rows.fetchall()
    ]
