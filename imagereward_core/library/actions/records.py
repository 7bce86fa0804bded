"""A step as the journal stores it."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...images.metadata.writing.splice import Splice
from ..store.values import from_name, to_name
from .files import Mark
from .steps import Kind, State, Step, StepInfo

COLUMNS = (
    "run", "parent", "kind", "source", "target", "splices", "content", "state", "made", "temporary", "former",
    "before_size", "before_modified", "before_digest", "after_size", "after_modified", "after_digest", "reason",
)  # fmt: skip


@dataclass
class Record:
    """One row of the journal, changed as the step goes on.

    Attributes:
        id: Its number; 0 before it is stored.
        run: Its run.
        parent: The step of the picture it travels with; None for a step somebody asked for.
        kind, source, target, splices, content: As in :class:`Step`.
        state: Where it stands.
        made: The file made or changed.
        temporary: The hidden name that is, or was, being written.
        former: What a put replaced (None where there was nothing), or the text of a symbolic link that was moved.
        before: The source, or the file to be changed, as it was.
        after: The file that was made or changed, as we left it.
        reason: Why it is not done, or not undone.
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

    @property
    def step(self) -> Step:
        """What was asked for."""
        return Step(self.kind, self.source, self.target, self.splices, self.content)

    @property
    def info(self) -> StepInfo:
        """What others may know."""
        made = self.made if self.state not in ("planned", "failed") else None
        return StepInfo(self.step, self.state, made, self.reason, self.parent is not None)

    def row(self) -> tuple[Any, ...]:
        """Values for ``COLUMNS``."""
        return (
            self.run,
            self.parent,
            self.kind,
            to_name(self.source),
            to_name(self.target),
            encode_splices(self.splices) if self.kind == "edit" else None,
            self.content if self.kind == "put" else None,
            self.state,
            _name(self.made),
            _name(self.temporary),
            self.former,
            *_values(self.before),
            *_values(self.after),
            self.reason.encode("utf-8", "backslashreplace").decode("utf-8"),
        )

    @classmethod
    def of(cls, row: sqlite3.Row | tuple[Any, ...]) -> Record:
        """From ``id`` and ``COLUMNS``."""
        (
            number,
            run,
            parent,
            kind,
            source,
            target,
            splices,
            content,
            state,
            made,
            temporary,
            former,
            *rest,
        ) = row
        return cls(
            run=run,
            kind=kind,
            source=Path(from_name(source)),
            target=Path(from_name(target)),
            splices=decode_splices(splices),
            content=content or b"",
            state=state,
            id=number,
            parent=parent,
            made=None if made is None else Path(from_name(made)),
            temporary=None if temporary is None else Path(from_name(temporary)),
            former=former,
            before=_mark(rest[0:3]),
            after=_mark(rest[3:6]),
            reason=rest[6],
        )


def _name(path: Path | None) -> str | bytes | None:
    return None if path is None else to_name(path)


def _values(mark: Mark | None) -> tuple[int | None, int | None, str | None]:
    return (None, None, None) if mark is None else (mark.size, mark.modified_ns, mark.digest)


def _mark(values: Any) -> Mark | None:
    return None if values[0] is None else Mark(*values)


def encode_splices(splices: Iterable[Splice]) -> bytes:
    """Splices as compressed bytes."""
    parts = [(splice.offset, splice.old.hex(), splice.new.hex()) for splice in splices]
    return zlib.compress(json.dumps(parts).encode("ascii"))


def decode_splices(data: bytes | None) -> tuple[Splice, ...]:
    """From :func:`encode_splices`."""
    if data is None:
        return ()
    parts = json.loads(zlib.decompress(data))
    return tuple(Splice(offset, bytes.fromhex(old), bytes.fromhex(new)) for offset, old, new in parts)
