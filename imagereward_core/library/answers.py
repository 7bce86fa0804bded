"""Answers to quick questions, kept beside a library: which of the pictures shown side by side somebody liked best.

One SQLite file in the folder of the store, where the stars are too; whatever asks (the WebUI's tab, ``imagereward annotate FOLDER``) finds
what was answered elsewhere by :mod:`.shared_answers`. Pictures are named by the hash of their pixels,
:attr:`~.store.records.Row.content`, so that answers stay with a picture that is moved, renamed or given other metadata. Each answer is
written at once. None is ever changed or deleted; one that was undone stays, marked as withdrawn.

    with AnswerStore.open(place) as answers:                      # place: the folder of the library's store
        answers.add(prompt, images, winner, door="webui")         # winner=None: a tie; add_skip(...) for none
        answers.withdraw_last(prompt)                             # undo
        ranking = answers.ranking(prompt, contents, scores)       # a QuickRanking: .question(2), .rows()

``prompt`` is the prompt as scorers are shown it (``Row.generated.prompt``); :data:`ACROSS` where pictures of all prompts were put side by
side.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ..files.sqlite import Database, Migration
from ..files.values import StrangeValueError, absolute
from ..plain import well_formed
from ..ranking import Comparison, QuickRanking

FILE_NAME = "answers.sqlite3"
APPLICATION_ID = 0x49526171
"""Marks an SQLite file as one of answers."""
ACROSS = None
"""Stands for the prompt where pictures of any prompts were compared."""

_FIRST = """
CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,              -- seconds since 1970
    prompt TEXT,                   -- as scorers are shown it; NULL where pictures of all prompts were compared
    person TEXT NOT NULL,          -- who answered; empty at home
    door TEXT NOT NULL,            -- where it was asked, such as webui
    kind TEXT NOT NULL,            -- best, tie or skip
    withdrawn REAL                 -- when it was undone, in seconds since 1970
);
CREATE INDEX answers_by_prompt ON answers(prompt);

CREATE TABLE shown (               -- the pictures of an answer, in the order they were shown in
    answer INTEGER NOT NULL REFERENCES answers(id),
    place INTEGER NOT NULL,
    content BLOB NOT NULL,         -- hash of the decoded pixels
    best INTEGER NOT NULL,         -- whether it is the one that was chosen
    PRIMARY KEY (answer, place)
) WITHOUT ROWID;
"""


def _first(connection: sqlite3.Connection) -> None:
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _second(connection: sqlite3.Connection) -> None:
    # What an answer was made of elsewhere, so that it is written down once; empty where nothing else knows of it.
    connection.execute("ALTER TABLE answers ADD COLUMN source TEXT NOT NULL DEFAULT ''")
    connection.execute(
        "CREATE UNIQUE INDEX answers_by_source ON answers(source) WHERE source != '' AND withdrawn IS NULL"
    )


MIGRATIONS: tuple[Migration, ...] = (_first, _second)
_HOLDS = "SELECT id FROM answers WHERE source = ? AND withdrawn IS NULL"
_KINDS = ("best", "tie", "skip")
_SELECT = """
SELECT a.id, a.at, a.prompt, a.person, a.door, a.kind, a.source, s.content, s.best FROM answers a JOIN shown s ON s.answer = a.id
WHERE {which} AND a.withdrawn IS NULL ORDER BY a.id, s.place
"""


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """One answer that holds.

    Attributes:
        number: Its number in the store; later ones have greater numbers.
        at: When it was given, in seconds since 1970.
        person: Who gave it; empty at home.
        door: Where it was asked.
        images: Hashes of the pictures shown, hexadecimal, in their order.
        winner: The one that was chosen; None for a tie and for a skip.
        skipped: Whether there was no answer.
        prompt: What it is about; :data:`ACROSS` where pictures of all prompts were compared.
        source: What it was made of elsewhere; empty where nothing else knows of it.
    """

    number: int
    at: float
    person: str
    door: str
    images: tuple[str, ...]
    winner: str | None
    skipped: bool
    prompt: str | None = ACROSS
    source: str = ""


class AnswerStore:
    """The answers beside one library. May be used from any number of threads, and by several processes at once. A context manager.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, AnswerStore.open(Path(folder)) as answers:
    ...     number = answers.add("a cat", ["aa", "bb"], "bb")
    ...     answers.ranking("a cat", ["aa", "bb"]).rows()[0].image
    'bb'
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, place: Path, *, looking: bool = False) -> AnswerStore:
        """Opens the answers in the folder ``place``, that of a library's store; only ``looking``, nothing is made or written.

        Raises:
            StoreError: They are damaged, of a newer version, or cannot be written.
        """
        return cls(
            Database(
                absolute(place) / FILE_NAME,
                application=APPLICATION_ID,
                migrations=MIGRATIONS,
                synchronous="FULL",
                what="file of answers",
                read_only=looking,
                exact=True,
            )
        )

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    def __enter__(self) -> AnswerStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(
        self,
        prompt: str | None,
        images: Sequence[str],
        winner: str | None,
        *,
        person: str = "",
        door: str = "",
        source: str = "",
        at: float | None = None,
    ) -> int:
        """Writes down an answer; returns its number.

        Args:
            prompt: What the pictures should show, or :data:`ACROSS`.
            images: Hashes of those shown, hexadecimal, in their order.
            winner: The best of them; None for a tie.
            person: Who answered; empty at home.
            door: Where it was asked, such as ``webui``.
            source: Names what it is made of elsewhere: while an answer of the same name holds, that is left as it is, and its number
                returned. Empty where nothing else knows of it.
            at: When it was given, in seconds since 1970; None for now.

        Raises:
            ValueError: Fewer than two pictures, one of them twice, or a winner that was not shown.
            StoreError: It cannot be written.
        """
        said = Comparison(tuple(images), winner)
        return self._add(
            prompt, said.images, winner, "tie" if winner is None else "best", person, door, source, at
        )

    def add_skip(
        self,
        prompt: str | None,
        images: Sequence[str],
        *,
        person: str = "",
        door: str = "",
        source: str = "",
        at: float | None = None,
    ) -> int:
        """Writes down that somebody did not want to answer; otherwise as :meth:`add`."""
        shown = Comparison(tuple(images), None).images
        return self._add(prompt, shown, None, "skip", person, door, source, at)

    def _add(
        self,
        prompt: str | None,
        images: Sequence[str],
        winner: str | None,
        kind: str,
        person: str,
        door: str,
        source: str,
        at: float | None,
    ) -> int:
        contents = [bytes.fromhex(image) for image in images]
        when = time.time() if at is None else at
        said = (when, _text(prompt), _text(person), _text(door), kind, _text(source))
        with self.database.writing() as connection:
            held = source and connection.execute(_HOLDS, [_text(source)]).fetchone()
            if held:
                return int(held[0])
            number = connection.execute(
                "INSERT INTO answers (at, prompt, person, door, kind, source) VALUES (?, ?, ?, ?, ?, ?)", said
            ).lastrowid
            connection.executemany(
                "INSERT INTO shown VALUES (?, ?, ?, ?)",
                [
                    (number, place, content, image == winner)
                    for place, (content, image) in enumerate(zip(contents, images, strict=True))
                ],
            )
        return int(number or 0)

    def answers(self, prompt: str | None) -> list[StoredAnswer]:
        """All answers about a prompt that hold, skips among them, in the order they were given.

        Raises:
            StoreError: The file holds what no version of this program writes.
        """
        return self._held("a.prompt IS ?", _text(prompt))

    def since(self, number: int = 0) -> list[StoredAnswer]:
        """Answers about all prompts that hold and have a greater number; otherwise as :meth:`answers`."""
        return self._held("a.id > ?", number)

    def by_source(self, source: str) -> StoredAnswer | None:
        """The answer that holds and was made of ``source``; None where there is none."""
        return next(iter(self._held("a.source = ? AND a.source != ''", _text(source))), None)

    def _held(self, which: str, value: str | int | None) -> list[StoredAnswer]:
        found: dict[int, tuple[tuple[float, str | None, str, str, str, str], list[str], list[str]]] = {}
        with self.database.reading() as connection:
            for number, *said, content, best in connection.execute(_SELECT.format(which=which), [value]):
                at, prompt, person, door, kind, source = said
                texts = all(isinstance(each, str) for each in (person, door, source, prompt or ""))
                if (
                    not texts
                    or kind not in _KINDS
                    or not isinstance(content, bytes)
                    or not isinstance(at, (int, float))
                ):
                    raise StrangeValueError(f"answer {number} is none")
                facts = (float(at), prompt, person, door, kind, source)
                _, images, winners = found.setdefault(number, (facts, [], []))
                images.append(content.hex())
                winners += [content.hex()] if best else []
            return [_answer(number, *each) for number, each in found.items()]

    def withdrawn(self) -> set[int]:
        """Numbers of the answers that were undone."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT id FROM answers WHERE withdrawn IS NOT NULL")
            return {int(number) for (number,) in rows}

    def sources(self) -> set[str]:
        """Everything that answers were made of, those that were undone among them."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT DISTINCT source FROM answers WHERE source != ''")
            return {str(source) for (source,) in rows}

    def withdraw(self, number: int) -> bool:
        """Undoes an answer by its number; false where it does not hold (any more).

        Raises:
            StoreError: It cannot be written.
        """
        with self.database.writing() as connection:
            changed = connection.execute(
                "UPDATE answers SET withdrawn = ? WHERE id = ? AND withdrawn IS NULL", (time.time(), number)
            )
            return changed.rowcount > 0

    def withdraw_last(self, prompt: str | None, *, person: str | None = None) -> StoredAnswer | None:
        """Undoes the last answer about a prompt, or the last one by ``person``; returns it, None where there is none.

        Raises:
            StoreError: It cannot be written.
        """
        with self.database.writing():
            held = [each for each in self.answers(prompt) if person is None or each.person == person]
            if not held:
                return None
            self.withdraw(held[-1].number)
        return held[-1]

    def prompts(self) -> dict[str | None, int]:
        """How many answers that hold there are about each prompt, skips left out."""
        asked = (
            "SELECT prompt, count(*) FROM answers WHERE withdrawn IS NULL AND kind != 'skip' GROUP BY prompt"
        )
        with self.database.reading() as connection:
            return {
                None if prompt is None else str(prompt): int(number)
                for prompt, number in connection.execute(asked)
            }

    def ranking(
        self,
        prompt: str | None,
        images: Sequence[str],
        scores: Sequence[Sequence[float]] = (),
        *,
        seed: int = 0,
        person: str | None = None,
    ) -> QuickRanking:
        """The pictures of a prompt with what was answered about them, by everybody or by ``person``.

        Args:
            prompt: As for :meth:`add`.
            images: Hashes of the pictures, hexadecimal, each once.
            scores: What scorers say, see :class:`~imagereward_core.ranking.QuickRanking`.
            seed: Decides between equally good questions.
            person: Whose answers count; None for everybody's.
        """
        held = [each for each in self.answers(prompt) if person is None or each.person == person]
        return ranking_of(held, images, scores, seed=seed)


def ranking_of(
    answers: Sequence[StoredAnswer],
    images: Sequence[str],
    scores: Sequence[Sequence[float]] = (),
    *,
    seed: int = 0,
) -> QuickRanking:
    """Pictures, by the hashes of their pixels, with answers about them, the latest last; otherwise as :meth:`AnswerStore.ranking`."""
    return QuickRanking(
        images=tuple(images),
        comparisons=tuple(Comparison(each.images, each.winner) for each in answers if not each.skipped),
        skips=tuple(each.images for each in answers if each.skipped),
        scores=tuple(scores),
        seed=seed,
    )


def _answer(
    number: int, facts: tuple[float, str | None, str, str, str, str], images: list[str], winners: list[str]
) -> StoredAnswer:
    """An answer, which anybody may have written, if it is one."""
    at, prompt, person, door, kind, source = facts
    if len(images) < 2 or len(set(images)) < len(images) or len(winners) != (1 if kind == "best" else 0):
        raise StrangeValueError(f"answer {number} is none")
    return StoredAnswer(
        number=number,
        at=at,
        person=person,
        door=door,
        images=tuple(images),
        winner=winners[0] if winners else None,
        skipped=kind == "skip",
        prompt=prompt,
        source=source,
    )


def _text(text: str | None) -> str | None:
    """A text as SQLite keeps it: halves of characters, which damaged metadata bring, are none."""
    return None if text is None else well_formed(text)
