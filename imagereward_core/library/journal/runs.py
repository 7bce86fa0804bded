"""Queries about whole runs."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

from .steps import RunInfo, RunState

NUMBERS_END = 1 << 62
"""No run and no step of ours has this number or a larger one. A row with the largest that SQLite has would end all counting."""


def next_number(connection: sqlite3.Connection, table: Literal["runs", "steps"]) -> int | None:
    """The number for a new row, where SQLite cannot count on by itself because somebody has taken its last one; else None."""
    (last,) = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    if last is None or (isinstance(last, int) and last < NUMBERS_END):
        return None
    (last,) = connection.execute(
        f"SELECT coalesce(max(id), 0) FROM {table} WHERE id < {NUMBERS_END}"
    ).fetchone()
    return max(0, int(last)) + 1


def read_runs(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[RunInfo]:
    """The runs that fulfil a condition (``WHERE ...``, or nothing), earliest first."""
    states = ("planned", "doing", "ready", "done", "undoing", "restoring", "failed", "undone")
    counts = ", ".join(f"coalesce(sum(state = '{state}'), 0)" for state in states)
    rows = connection.execute(
        f"SELECT runs.id, begun, title, count(state), {counts} FROM runs "
        f"LEFT JOIN steps ON steps.run = runs.id AND parent IS NULL {where} GROUP BY runs.id ORDER BY runs.id",
        values,
    ).fetchall()
    found = []
    for number, begun, title, total, *counted in rows:
        planned, doing, ready, done, undoing, restoring, failed, undone = counted
        open_, standing = planned + doing + ready, done + undoing + restoring
        state: RunState
        if undone or undoing or restoring:
            state = "partly undone" if standing else "undone"
        elif open_:
            state = "planned" if planned == total else "interrupted"
        else:
            state = "done"
        found.append(RunInfo(number, _shown(begun), _shown(title), state, total, standing, failed, undone))
    return found


def _shown(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def latest_standing(connection: sqlite3.Connection, before: int = 0) -> int | None:
    """The latest run, of those before ``before`` (0: of all), of which something is done and not undone; None where there is none."""
    row = connection.execute(
        "SELECT run FROM steps WHERE state IN ('done', 'undoing', 'restoring') AND run < ? ORDER BY run DESC LIMIT 1",
        (before or NUMBERS_END,),
    ).fetchone()
    return None if row is None else row[0]


def unsettled_runs(connection: sqlite3.Connection) -> list[int]:
    """Runs that a process left with a step half done, text files that have not followed their picture, or emptied folders."""
    rows = connection.execute(
        # Named, because SQLite would read a larger index from end to end.
        "SELECT run FROM steps INDEXED BY unsettled_steps WHERE state IN ('doing', 'ready', 'undoing', 'restoring') "
        "UNION SELECT run FROM steps INDEXED BY waiting_companions "
        "WHERE parent IS NOT NULL AND state = 'planned' "
        "UNION SELECT run FROM folders WHERE "
        "EXISTS (SELECT 1 FROM steps WHERE steps.run = folders.run AND state = 'undone') "
        "AND NOT EXISTS (SELECT 1 FROM steps WHERE steps.run = folders.run AND state = 'done') ORDER BY run"
    ).fetchall()
    return [number for (number,) in rows if isinstance(number, int)]
