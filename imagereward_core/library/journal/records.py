"""A step as the journal stores it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...files.values import Name
from ...metadata.writing.splice import Splice
from . import files
from .files import Mark
from .roots import read_path
from .steps import KINDS, Kind, State, Step, StepInfo

COLUMNS = (
    "run", "parent", "kind", "source", "target", "splices", "content", "state", "made", "temporary", "former",
    "before_size", "before_modified", "before_digest", "after_size", "after_modified", "after_digest", "reason",
    "outside", "signature",
)  # fmt: skip
_MOST_BLOB_BYTES = 64 * 1024 * 1024
_READ = [
    f"CASE WHEN length({column}) > {_MOST_BLOB_BYTES} THEN 0 ELSE {column} END"
    if column in ("splices", "content", "former")
    else column
    for column in COLUMNS
]
SELECT = f"SELECT id, {', '.join(_READ)} FROM steps"
"""Reads steps; what is larger than a step of ours can be is read as 0."""
INSERT = f"INSERT INTO steps (id, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
UPDATE = f"UPDATE steps SET {', '.join(f'{column} = ?' for column in COLUMNS)} WHERE id = ?"
PROGRESS = COLUMNS[7:]
ADVANCE = f"UPDATE steps SET {', '.join(f'{column} = ?' for column in PROGRESS)} WHERE id = ?"
"""Only what changes as a step goes on: nothing that was asked for, and few indexes."""

_MOST_SPLICES = 10_000


_NOTHING = Mark(-1, 0)


def mark_of_bytes(content: bytes | None) -> Mark:
    """The mark of a file with these bytes, or, for None, of one that is not there; of no certain time."""
    return _NOTHING if content is None else Mark(len(content), 0, hashlib.sha256(content).hexdigest())


def is_still(path: Path, mark: Mark) -> bool:
    """Whether a file still has the mark of :func:`mark_of_bytes`."""
    return not files.exists(path) if mark == _NOTHING else files.holds(path, mark)


@dataclass
class Record:
    """One row of the journal, changed as the step goes on.

    Attributes:
        id: 0 before it is stored.
        parent: The step of the picture it travels with; None for a step somebody asked for.
        kind, source, target, splices, content: As in :class:`Step`.
        temporary: The hidden name that is, or was, being written.
        former: What a put replaced (None where there was nothing), or the text of a symbolic link that was moved.
        before: The source, or the file to be changed, as it was.
        after: The file that was made or changed, as we left it.
        reason: Why it is not done, or not undone.
        flaw: Why the row cannot be one of ours; empty where nothing speaks against it.
        vouched: The folders outside of the root in which it may act; None where its signature has not been looked at.
        sealed: The values of ``COLUMNS`` as they were read.
    """

    run: int
    kind: Kind
    source: Path
    target: Path
    splices: tuple[Splice, ...] = ()
    content: bytes = b""
    state: State = "planned"
    id: int = 0
    parent: int | None = None
    made: Path | None = None
    temporary: Path | None = None
    former: bytes | None = None
    before: Mark | None = None
    after: Mark | None = None
    reason: str = ""
    flaw: str = ""
    vouched: tuple[str, ...] | None = None
    sealed: tuple[Any, ...] = ()

    @property
    def replaces(self) -> bool:
        """Whether a put found a file in its place."""
        return self.before is not None and self.before != _NOTHING

    @property
    def step(self) -> Step:
        """The step that was asked for."""
        return Step(self.kind, self.source, self.target, self.splices, self.content)

    @property
    def info(self) -> StepInfo:
        """The record as other modules see it."""
        made = self.made if self.state not in ("planned", "failed") else None
        return StepInfo(self.step, self.state, made, self.reason, self.parent is not None)

    @property
    def paths(self) -> list[tuple[Path, bool]]:
        """Every file the step acts on, each with whether it is followed should it be a symbolic link."""
        follows = self.kind in ("edit", "put")
        # Later the original is only looked at.
        reads = self.kind in ("copy", "hardlink") and self.state in ("planned", "doing", "ready")
        found = [] if follows else [(self.source, reads)]
        found += [(path, follows) for path in (self.target, self.made) if path is not None]
        return found if self.temporary is None else [*found, (self.temporary, False)]

    def row(self, stored: Callable[[Path], Name]) -> tuple[Any, ...]:
        """Values for ``COLUMNS``, without the last two; ``stored`` says how a path is stored."""
        return (
            self.run,
            self.parent,
            self.kind,
            stored(self.source),
            stored(self.target),
            encode_splices(self.splices) if self.kind == "edit" else None,
            self.content if self.kind == "put" else None,
            *self.progress(stored),
        )

    def progress(self, stored: Callable[[Path], Name]) -> tuple[Any, ...]:
        """The end of :meth:`row`: what changes as a step goes on."""

        def name(path: Path | None) -> Name | None:
            return None if path is None else stored(path)

        return (
            self.state,
            name(self.made),
            name(self.temporary),
            self.former,
            *_values(self.before),
            *_values(self.after),
            self.reason.encode("utf-8", "backslashreplace").decode("utf-8"),
        )

    @classmethod
    def of(cls, row: sqlite3.Row | tuple[Any, ...], folder: Path | None) -> Record:
        """From ``id`` and ``COLUMNS``, relative paths from ``folder`` on.

        What cannot be read is a flaw of the record, for the file may come from anybody.
        """
        number, run, parent, kind, source, target, splices, content, state, made, temporary, former, *rest = (
            row
        )
        flaws = []
        if not isinstance(run, int) or not (parent is None or isinstance(parent, int)):
            flaws.append("belongs to no run, or travels with no step")
        if any(isinstance(each, int) for each in (splices, content, former)):
            flaws.append("holds more than a step of ours can")

        def path(stored: Any) -> Path:
            found, flaw = read_path(stored, folder)
            flaws.append(flaw)
            return found

        record = cls(
            run=run,
            kind=kind,
            source=path(source),
            target=path(target),
            state=state,
            id=number,
            parent=parent,
            made=None if made is None else path(made),
            temporary=None if temporary is None else path(temporary),
            former=former,
            reason=rest[6] if isinstance(rest[6], str) else "",
            sealed=tuple(row[1:]),
        )
        try:
            record.splices = decode_splices(splices)
            record.before, record.after = _mark(rest[0:3]), _mark(rest[3:6])
        except (ValueError, TypeError, RecursionError, zlib.error) as error:
            flaws.append(f"holds values that cannot be read ({error})")
        if kind not in KINDS:
            record.kind = "copy"
            flaws.append(f"is of the unknown kind {str(kind)[:40]!r}")
        if content is not None and not isinstance(content, bytes):
            flaws.append("holds content that is no bytes")
        elif kind == "put":
            record.content = content or b""
        if former is not None and not isinstance(former, bytes):
            flaws.append("holds former content that is no bytes")
        if record.kind != "edit":
            record.splices = ()
        record.flaw = next(filter(None, flaws), "")
        return record


def one_page(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first of some rows as they are read: as many as memory is well used for, at least one where there is one."""
    page = []
    room = _MOST_BLOB_BYTES
    for row in rows:
        page.append(row)
        room -= sum(len(value) for value in row if isinstance(value, bytes))
        if room < 0:
            break
    return page


def _values(mark: Mark | None) -> tuple[int | None, int | None, str | None]:
    return (None, None, None) if mark is None else (mark.size, mark.modified_ns, mark.digest)


def _mark(values: Any) -> Mark | None:
    size, modified, digest = values
    if size is None:
        return None
    if not (isinstance(size, int) and isinstance(modified, int) and isinstance(digest, str)):
        raise TypeError("a size, a time or a checksum is of another type")
    return Mark(size, modified, digest)


def encode_splices(splices: Iterable[Splice]) -> bytes:
    """Splices as compressed bytes."""
    parts = [(splice.offset, splice.old.hex(), splice.new.hex()) for splice in splices]
    return zlib.compress(json.dumps(parts).encode("ascii"))


def decode_splices(data: bytes | None) -> tuple[Splice, ...]:
    """From :func:`encode_splices`.

    Raises:
        ValueError, TypeError, zlib.error: They are damaged, or hold more than an edit can.
    """
    if data is None:
        return ()
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, _MOST_BLOB_BYTES)
    if not unpacking.eof or text.count(b"[") > _MOST_SPLICES:
        raise ValueError("an edit is cut off, or larger than any of ours")
    splices = tuple(
        Splice(offset, bytes.fromhex(old), bytes.fromhex(new)) for offset, old, new in json.loads(text)
    )
    if any(type(splice.offset) is not int or splice.offset < 0 for splice in splices):
        raise ValueError("an edit begins nowhere")
    return splices
