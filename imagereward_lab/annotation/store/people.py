"""People of a project: names with a role and a token each, of which only the hash is kept."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from imagereward_core.plain import plain

from ..protocol.keys import ROLES
from ..records import AnnotationError, GoneError, NotAllowedError, Person
from .audit import note
from .tables import PEOPLE

CANDIDATE, ACTIVE, REFUSED, REMOVED = "candidate", "active", "refused", "removed"
MOST_NAME = 100
RESEARCHER = ROLES[-1]
LOCAL = "me"
"""Name of the one who works alone."""


def new_token() -> str:
    """A token that nobody guesses: 32 bytes by the system's source of randomness, as digits and the letters a to f.

    So a double click selects all of it, and no command takes it for an option.
    """
    return secrets.token_hex(32)


def hash_of(token: str) -> str:
    """What is kept of a token. Tokens are random and long, so that a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add(connection: Connection, name: str, role: str, state: str, token: str | None, at: float) -> Person:
    """Adds somebody; without a token nobody can work under the name, as for people whose answers were imported.

    Raises:
        AnnotationError: The name is taken, or none; the role is not known.
    """
    name = name.strip()
    if not 1 <= len(name) <= MOST_NAME or plain(name) != name:
        raise AnnotationError(
            "bad_name",
            f"found the name {plain(name)[:40]!r}; expected 1 to {MOST_NAME} characters that can be shown",
        )
    if role not in ROLES:
        raise AnnotationError("bad_role", f"found the role {role!r}; expected one of {', '.join(ROLES)}")
    if by_name(connection, name) is not None:
        raise AnnotationError(
            "name_taken", f"there is somebody named {name!r} already; choose another name", name=name
        )
    number = connection.execute(
        PEOPLE.insert()
        .values(
            name=name,
            role=role,
            state=state,
            token_hash=None if token is None else hash_of(token),
            created=at,
        )
        .returning(PEOPLE.c.id)
    ).scalar_one()
    note(connection, at, None, "added", f"person {number}", name=name, role=role, state=state)
    return Person(id=number, name=name, role=role, state=state)


def own(connection: Connection) -> Person | None:
    """The researcher who works at the server's own computer; None where there is none yet."""
    for name in _own_names():
        known = by_name(connection, name)
        if known is None or (known.role == RESEARCHER and known.state == ACTIVE):
            return known
    return None


def make_own(connection: Connection, at: float) -> Person:
    """The same, made where there is none. Who was imported under the name becomes it: nobody has a token for them."""
    for name in _own_names():
        row = connection.execute(select(PEOPLE).where(PEOPLE.c.name == name).with_for_update()).one_or_none()
        if row is None:
            return add(connection, name, RESEARCHER, ACTIVE, None, at)
        if row.state == ACTIVE and row.role == RESEARCHER:
            return _person(row)
        if row.state == ACTIVE and row.token_hash is None:
            connection.execute(update(PEOPLE).where(PEOPLE.c.id == row.id).values(role=RESEARCHER))
            note(connection, at, None, "became a researcher", f"person {row.id}", before=row.role)
            return Person(id=row.id, name=name, role=RESEARCHER, state=ACTIVE)
    raise AssertionError("names do not end")


def _own_names() -> Iterator[str]:
    return itertools.chain([LOCAL], (f"{LOCAL} {number}" for number in itertools.count(2)))


def by_token(connection: Connection, token: str) -> Person | None:
    """Whose token it is."""
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.token_hash == hash_of(token))).one_or_none()
    return None if row is None or row.state == REMOVED else _person(row)


def by_name(connection: Connection, name: str) -> Person | None:
    """Who has the name."""
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.name == name)).one_or_none()
    return None if row is None else _person(row)


def named(connection: Connection, name: str) -> Person:
    """Who has the name.

    Raises:
        GoneError: Nobody has.
    """
    person = by_name(connection, name)
    if person is None:
        known = ", ".join(each.name for each in everybody(connection)) or "nobody"
        raise GoneError("no_such_person", f"found nobody named {name!r}; the project has {known}")
    return person


def starting_state(role: str, has_test: bool) -> str:
    """The state of somebody new: annotators take the test first, where there is one."""
    return CANDIDATE if has_test and role == ROLES[0] else ACTIVE


def everybody(connection: Connection) -> list[Person]:
    """All, in the order in which they were added."""
    return [_person(row) for row in connection.execute(select(PEOPLE).order_by(PEOPLE.c.id))]


def count(connection: Connection) -> int:
    """How many there are."""
    return connection.execute(select(func.count()).select_from(PEOPLE)).scalar_one()


def locked(connection: Connection, person: int) -> Person:
    """Somebody as they are now; what the same person does at the same time, in another window, waits for this transaction.

    Raises:
        NotAllowedError: There is nobody of that number any more.
    """
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.id == person).with_for_update()).one_or_none()
    if row is None or row.state == REMOVED:
        raise NotAllowedError("removed", "this person does not take part any more")
    return _person(row)


def set_state(connection: Connection, person: Person, state: str, at: float, why: dict[str, Any]) -> None:
    """Admits, refuses or removes somebody. The answers of who is removed stay, and their token is void."""
    values: dict[str, Any] = {"state": state}
    if state == REMOVED:
        values["token_hash"] = None
    connection.execute(update(PEOPLE).where(PEOPLE.c.id == person.id).values(**values))
    note(connection, at, None, state, f"person {person.id}", before=person.state, **why)


def renew_token(connection: Connection, name: str, token: str, at: float) -> Person:
    """Gives somebody another token; the one before is void.

    Raises:
        GoneError: There is nobody of that name.
    """
    person = named(connection, name)
    state = ACTIVE if person.state == REMOVED else person.state
    connection.execute(
        update(PEOPLE).where(PEOPLE.c.id == person.id).values(token_hash=hash_of(token), state=state)
    )
    note(connection, at, None, "renewed the token of", f"person {person.id}")
    return Person(id=person.id, name=person.name, role=person.role, state=state)


def _person(row: Row[Any]) -> Person:
    return Person(id=row.id, name=row.name, role=row.role, state=row.state)
