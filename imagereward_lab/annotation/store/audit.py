"""The trail of changes: who did what to what, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from .tables import AUDIT


@dataclass(frozen=True)
class Event:
    """One change.

    Attributes:
        at: Unix time in seconds.
        person: Id of who did it; None for the program or somebody at the command line.
        action: What was done, such as ``submitted``.
        subject: To what, such as ``task 3``.
        detail: More about it.
    """

    at: float
    person: int | None
    action: str
    subject: str
    detail: dict[str, Any]


def note(
    connection: Connection, at: float, person: int | None, action: str, subject: str, **detail: Any
) -> None:
    """Adds a change to the trail, within the transaction that makes it."""
    connection.execute(
        AUDIT.insert().values(
            at=at, person_id=person, action=action, subject=subject, detail=json.dumps(detail, sort_keys=True)
        )
    )


def trail(connection: Connection) -> Iterator[Event]:
    """All changes, in their order."""
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)):
        yield Event(row.at, row.person_id, row.action, row.subject, json.loads(row.detail))
