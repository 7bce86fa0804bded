"""Ranked pages: the numbers of the files of a query, in order, from any place on, without reading what comes before.

Every order is that of an index, and a page begins where the last one ended (keyset pagination), so its cost does not grow with
its place. Pages of a folder and all below it are merged from the folders' own orders: of thousands of folders, those are looked
into whose first file is good enough.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from ...files.values import to_name
from .files import BELOW
from .records import Row
from .sources import Source, Values, Wanted, by_name, by_score, by_time, key_in, sources, text_condition

_FIRST_LOOK = 2000
"""Among so many files a text is looked for before it is looked for in all."""


def file_numbers(
    connection: sqlite3.Connection, wanted: Wanted, after: Row | None, limit: int, offset: int = 0
) -> list[int]:
    """The numbers of the next ``limit`` files behind ``after`` and ``offset`` more, in the order of the query."""
    if wanted.query.scored is False and wanted.ranged:
        return []
    if wanted.query.order == "name" and not wanted.query.text:
        return list(islice(_by_name(connection, wanted, after, offset), limit))
    found: list[int] = []
    parts = sources(wanted)
    place = 0 if after is None else _part_of(connection, wanted, parts, after)
    for number, source in enumerate(parts[place:]):
        key = key_in(source, after) if after is not None and number == 0 else None
        if not _may_hold(connection, wanted, source):
            continue
        some = _next(connection, wanted, source, key, limit - len(found), offset)
        found += some
        if len(found) >= limit:
            break
        if offset:
            offset = 0 if some else max(0, offset - _count(connection, wanted, source, key))
    return found


def count(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """How many files fit."""
    query = wanted.query
    if query.scored is False and wanted.ranged:
        return 0
    if query.scored or wanted.ranged:
        return _count(connection, wanted, by_score(wanted)) if wanted.scorer else 0
    everything = Wanted(query, 0, wanted.folder, wanted.prompt)
    total = _count(connection, everything, by_time(everything))
    if query.scored is False and wanted.scorer:
        total -= _count(connection, wanted, by_score(wanted))
    return total


def _part_of(connection: sqlite3.Connection, wanted: Wanted, parts: list[Source], row: Row) -> int:
    """Which of the sources a row stands in."""
    if wanted.query.order in ("name", "newest") or (
        row.value is not None and wanted.query.scored is not False
    ):
        return 0
    visited = connection.execute(
        "SELECT 1 FROM ranking WHERE scorer = ? AND file = ?", (wanted.scorer, row.file)
    ).fetchone()
    return len(parts) - (2 if visited and wanted.scorer else 1)


def _may_hold(connection: sqlite3.Connection, wanted: Wanted, source: Source) -> bool:
    """False where counting shows at once what walking through all files would: that the scorer has come to every one."""
    if source.key != ("files.id",) or not wanted.scorer:
        return True
    every = Source("files", "", "files.folder", (), "files.gone = 0", ())
    visited = Source("ranking", "", "ranking.folder", (), "ranking.scorer = ?", (wanted.scorer,))
    if wanted.prompt is not None:
        every = replace(every, conditions=f"{every.conditions} AND files.prompt = ?", values=(wanted.prompt,))
        visited = replace(
            visited,
            conditions=f"{visited.conditions} AND ranking.prompt = ?",
            values=(wanted.scorer, wanted.prompt),
        )
    plain = replace(wanted, query=replace(wanted.query, text=""))
    return _count(connection, plain, every) > _count(connection, plain, visited)


def _next(
    connection: sqlite3.Connection,
    wanted: Wanted,
    source: Source,
    key: Values | None,
    limit: int,
    offset: int,
) -> list[int]:
    """The next files of a source behind ``key``."""
    if wanted.query.text:
        return _next_with_text(connection, wanted, source, key, limit, offset)
    beyond, behind = source.beyond(key)
    fits = f"{source.conditions} AND {beyond}"
    values = (*source.values, *behind)
    if wanted.folder is None or not source.merges:
        below, first, where = _all_below(wanted, source.folder)
        sql = f"{below}SELECT {source.file} FROM {source.table} WHERE {fits} AND {where} ORDER BY {source.order} LIMIT ? OFFSET ?"
        return [file for (file,) in connection.execute(sql, (*first, *values, limit, offset))]
    most = limit + offset
    folders = connection.execute(
        f"{BELOW}SELECT id, (SELECT {source.key[0]} FROM {source.table} WHERE {source.folder} = below.id AND {fits} "
        f"ORDER BY {source.order} LIMIT 1) AS first FROM below WHERE first IS NOT NULL "
        f"ORDER BY first {'DESC' if source.descending else 'ASC'}",
        (wanted.folder, *values),
    ).fetchall()
    if len(folders) > most:
        # With those whose first files are level with the last: among equals the rest of the key decides.
        last = folders[most - 1][1]
        folders = folders[:most] + [each for each in folders[most:] if each[1] == last]
    columns = ", ".join((source.file, *source.key))
    sql = f"SELECT {columns} FROM {source.table} WHERE {source.folder} = ? AND {fits} ORDER BY {source.order} LIMIT ?"
    streams = [connection.execute(sql, (folder, *values, most)) for folder, _ in folders]
    merged = heapq.merge(*streams, key=lambda row: row[1:], reverse=source.descending)
    return [row[0] for row in islice(merged, offset, most)]


def _next_with_text(
    connection: sqlite3.Connection,
    wanted: Wanted,
    source: Source,
    key: Values | None,
    limit: int,
    offset: int,
) -> list[int]:
    """The same with a text in name or prompt: a common one is met within the first files, a rare one is looked for everywhere."""
    beyond, behind = source.beyond(key)
    if wanted.folder is None and source.table in ("files", "ranking"):
        text, parts = text_condition(wanted.query.text, one_by_one=True)
        columns = ", ".join(f"{column} AS key{number}" for number, column in enumerate(source.key))
        order = ", ".join(
            f"key{number}{' DESC' if source.descending else ''}" for number in range(len(source.key))
        )
        sql = (
            f"SELECT file FROM (SELECT {source.file} AS file, {columns} FROM {source.table} WHERE {source.conditions} AND {beyond} "
            f"ORDER BY {source.order} LIMIT {_FIRST_LOOK}) JOIN files ON files.id = file WHERE {text} ORDER BY {order} LIMIT ? OFFSET ?"
        )
        found = connection.execute(sql, (*source.values, *behind, *parts, limit, offset)).fetchall()
        if len(found) == limit:
            return [file for (file,) in found]
    start, hits, values = _hits(wanted, source)
    sql = f"{start}SELECT {source.file} {hits} AND {beyond} ORDER BY {source.order} LIMIT ? OFFSET ?"
    return [file for (file,) in connection.execute(sql, (*values, *behind, limit, offset))]


def _hits(wanted: Wanted, source: Source) -> tuple[str, str, Values]:
    """What stands before SELECT, from FROM on, and the values, for all files of a source that hold a text."""
    text, parts = text_condition(wanted.query.text, one_by_one=False)
    below, first, where = _all_below(wanted, "files.folder")
    index = " INDEXED BY files_by_prompt" if wanted.folder is None else ""
    table = source.hits.replace("files", "files" + index, 1)
    sql = f"FROM {table} WHERE files.gone = 0 AND {where} AND {text} AND {source.conditions}"
    return below, sql, (*first, *parts, *source.values)


def _all_below(wanted: Wanted, column: str) -> tuple[str, Values, str]:
    """What stands before SELECT, its values, and the condition, for files of the folder asked for and below it."""
    if wanted.folder is None:
        return "", (), "1"
    return BELOW, (wanted.folder,), f"{column} IN (SELECT id FROM below)"


def _scopes(connection: sqlite3.Connection, wanted: Wanted, source: Source) -> Iterator[tuple[str, Values]]:
    """Conditions that together stand for the folders asked for."""
    if wanted.folder is None:
        yield "1", ()
        return
    for folder in connection.execute(f"{BELOW}SELECT id FROM below", (wanted.folder,)).fetchall():
        yield f"{source.folder} = ?", folder


def _count(connection: sqlite3.Connection, wanted: Wanted, source: Source, key: Values | None = None) -> int:
    beyond, behind = source.beyond(key)
    if wanted.query.text:
        start, hits, held = _hits(wanted, source)
        sql = f"{start}SELECT count(*) {hits} AND {beyond}"
        return int(connection.execute(sql, (*held, *behind)).fetchone()[0])
    total = 0
    for where, values in _scopes(connection, wanted, source):
        sql = f"SELECT count(*) FROM {source.table} WHERE {source.conditions} AND {beyond} AND {where}"
        total += connection.execute(sql, (*source.values, *behind, *values)).fetchone()[0]
    return total


def _by_name(connection: sqlite3.Connection, wanted: Wanted, after: Row | None, offset: int) -> Iterator[int]:
    """Files by path: folder after folder, in each by name; folders before the offset are counted and not read."""
    source = by_name(wanted)
    conditions, values = source.conditions, source.values
    start = None if after is None else to_name(after.path.parent)
    for folder, path in _folders_by_path(connection, wanted, start):
        behind: Any = to_name(after.path.name) if after is not None and path == start else ""
        fits = f"files WHERE files.folder = ? AND files.name > ? AND {conditions}"
        if offset:
            (number,) = connection.execute(
                f"SELECT count(*) FROM {fits}", (folder, behind, *values)
            ).fetchone()
            if number <= offset:
                offset -= number
                continue
        sql = f"SELECT files.id FROM {fits} ORDER BY files.name LIMIT -1 OFFSET ?"
        for (file,) in connection.execute(sql, (folder, behind, *values, offset)):
            yield file
        offset = 0


def _folders_by_path(connection: sqlite3.Connection, wanted: Wanted, start: Any) -> list[tuple[int, Any]]:
    """The folders from the path ``start`` on."""
    below, first, where = _all_below(wanted, "id")
    beyond, behind = ("1", ()) if start is None else ("path >= ?", (start,))
    sql = f"{below}SELECT id, path FROM folders WHERE {where} AND {beyond} ORDER BY path"
    return connection.execute(sql, (*first, *behind)).fetchall()
