"""What the journal knows about whole runs."""

from __future__ import annotations

import sqlite3
from typing import Any

from .steps import RunInfo, RunState


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
    for (
        number,
        begun,
        title,
        total,
        planned,
        doing,
        ready,
        done,
        undoing,
        restoring,
        failed,
        undone,
    ) in rows:
        open_, standing = planned + doing + ready, done + undoing + restoring
        state: RunState
        if undone or undoing or restoring:
            state = "partly undone" if standing else "undone"
        elif open_:
            state = "planned" if planned == total else "interrupted"
        else:
            state = "done"
        found.append(RunInfo(number, str(begun), str(title), state, total, standing, failed, undone))
    return found
