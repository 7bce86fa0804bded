"""Compares the tables of a store with those this program makes: the file may have come along with a folder, from anybody."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache

Objects = dict[tuple[str, str], str]
"""The statement that made each table and index, by type and name."""

_STATISTICS = ("sqlite_stat1", "sqlite_stat4")
"""Tables of SQLite's own, which appear once somebody has had it analyse a file."""


def not_ours(
    connection: sqlite3.Connection, migrations: Sequence[Callable[[sqlite3.Connection], None]], exact: bool
) -> str:
    """Differences of a file, of the newest version, from what the migrations make of an empty one; empty where there are none.

    Triggers, views and virtual tables do things by themselves. So can a table of ours in another form: with columns that are computed,
    rules by which a row replaces another, or expressions in an index. Forms are compared where ``exact`` is asked for.
    """
    found = _objects(connection)
    for kind, name in found:
        if kind not in ("table", "index") or found[kind, name].upper().startswith("CREATE VIRTUAL"):
            return f"the {kind} {name[:40]!r}"
    if exact:
        expected = _expected(tuple(migrations))
        for kind, name in sorted(found.keys() | expected.keys()):
            if (kind, name) not in found:
                return f"no {kind} {name[:40]!r}"
            if (kind, name) not in expected and not (kind == "table" and name in _STATISTICS):
                return f"the {kind} {name[:40]!r}"
            if found[kind, name] != expected.get((kind, name), found[kind, name]):
                return f"the {kind} {name[:40]!r} in another form"
    return ""


def _objects(connection: sqlite3.Connection) -> Objects:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(str(kind), str(name)): f"{_plain(sql)} {table}".strip() for kind, name, table, sql in rows}


def _plain(sql: object) -> str:
    """A statement without comments and in one line, as versions before may have written it."""
    without = re.sub(r"--[^\n]*", "", str(sql or ""))
    return re.sub(r"[ \t\n\f\r]+", " ", without)  # what SQLite takes for space, and nothing else


@lru_cache(maxsize=8)
def _expected(migrations: tuple[Callable[[sqlite3.Connection], None], ...]) -> Objects:
    with closing(sqlite3.connect(":memory:")) as connection:
        for migrate in migrations:
            migrate(connection)
        return _objects(connection)
