"""Scores in the library, and the ranking that repeats them by file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...files.values import intern
from ...plain import well_formed
from .records import ScorerKey

if TYPE_CHECKING:
    from ...scores import Scores


def scorer_number(connection: sqlite3.Connection, key: ScorerKey, reads_prompt: bool) -> int:
    """The number of a scorer, which is stored if it is new."""
    found = find_scorer(connection, key)
    if found is not None:
        connection.execute(
            "UPDATE scorers SET reads_prompt = ? WHERE id = ? AND reads_prompt <> ?",
            (reads_prompt, found, reads_prompt),
        )
        return found
    row = (key.scorer, key.revision, key.preprocessing, reads_prompt)
    insert = "INSERT INTO scorers (scorer, revision, preprocessing, reads_prompt) VALUES (?, ?, ?, ?)"
    return int(connection.execute(insert, row).lastrowid or 0)


def find_scorer(connection: sqlite3.Connection, key: ScorerKey) -> int | None:
    """The number of a scorer; None for one that has never scored here."""
    row = connection.execute(
        "SELECT id FROM scorers WHERE scorer = ? AND revision = ? AND preprocessing = ?",
        (key.scorer, key.revision, key.preprocessing),
    ).fetchone()
    return None if row is None else int(row[0])


def adopt(connection: sqlite3.Connection, key: ScorerKey, former: Sequence[tuple[str, str]]) -> None:
    """Takes over scores kept under a ``former`` id and revision of the same weights, unless ``key`` has scores of its own."""
    if find_scorer(connection, key) is not None:
        return
    for scorer, revision in former:
        number = find_scorer(connection, ScorerKey(scorer, revision, key.preprocessing))
        if number is not None:
            change = "UPDATE scorers SET scorer = ?, revision = ? WHERE id = ?"
            connection.execute(change, (key.scorer, key.revision, number))
            return


def scorer_keys(connection: sqlite3.Connection) -> list[ScorerKey]:
    """All scorers that have scored here, in the order they first did."""
    rows = connection.execute("SELECT scorer, revision, preprocessing FROM scorers ORDER BY id")
    return [ScorerKey(*row) for row in rows]


def has_values(connection: sqlite3.Connection) -> bool:
    """Whether any scorer has given any content a number."""
    return connection.execute("SELECT 1 FROM scores WHERE value IS NOT NULL LIMIT 1").fetchone() is not None


def all_values(
    connection: sqlite3.Connection, key: ScorerKey, besides: Collection[str] = ()
) -> Iterator[float]:
    """Every number a scorer has given, but for those of the contents ``besides``: hashes in hexadecimal."""
    scorer = find_scorer(connection, key)
    if scorer is None:
        return
    left_out = set()
    for content in besides:
        left_out |= {
            number
            for (number,) in connection.execute(
                "SELECT id FROM pictures WHERE hash = ?", (bytes.fromhex(content),)
            )
        }
    sql = "SELECT picture, value FROM scores WHERE scorer = ? AND value IS NOT NULL"
    for picture, value in connection.execute(sql, (scorer,)):
        if picture not in left_out:
            yield value


def scorers_of(connection: sqlite3.Connection, file: int) -> list[int]:
    """The numbers of the scorers that have come to a file."""
    rows = connection.execute(
        "SELECT scorer FROM ranking WHERE scorer IN (SELECT id FROM scorers) AND file = ?", (file,)
    )
    return [scorer for (scorer,) in rows]


class Voice(Protocol):
    """A scorer as far as the store is concerned."""

    @property
    def number(self) -> int:
        """Its number in the library."""

    @property
    def reads_prompt(self) -> bool:
        """Whether its numbers depend on the prompt."""


AnyVoice = TypeVar("AnyVoice", bound=Voice)


def write_scores(
    connection: sqlite3.Connection,
    voice: Voice,
    pictures: Sequence[int],
    prompts: Sequence[int],
    scores: Scores,
) -> None:
    """Stores what a scorer said about contents: its numbers, or its reasons for having none.

    ``pictures`` and ``prompts`` are the numbers of the contents and of the prompts they were scored against, one for each of ``scores``.
    """
    rows = []
    for index, (picture, prompt, value) in enumerate(
        zip(pictures, prompts, scores.values.tolist(), strict=True)
    ):
        problem = well_formed(scores.failures.get(index, ""))
        cut = intern(connection, scores.cut[index]) if voice.reads_prompt else 0
        where = (picture, voice.number, prompt if voice.reads_prompt else 0)
        rows.append((*where, None if problem else value, cut, problem))
    connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)


def lacking(
    connection: sqlite3.Connection, picture: int, prompt: int, voices: Sequence[AnyVoice]
) -> tuple[AnyVoice, ...]:
    """The scorers that have said nothing yet about a content with a prompt."""
    sql = "SELECT 1 FROM scores WHERE picture = ? AND scorer = ? AND prompt = ?"
    return tuple(
        voice
        for voice in voices
        if not connection.execute(
            sql, (picture, voice.number, prompt if voice.reads_prompt else 0)
        ).fetchone()
    )


def has_any_score(connection: sqlite3.Connection, picture: int, scorer: str) -> bool:
    """Whether a content has a number by a scorer, under whatever prompt, weights and preprocessing."""
    sql = (
        "SELECT 1 FROM scores JOIN scorers ON scorers.id = scores.scorer "
        "WHERE scores.picture = ? AND scorers.scorer = ? AND scores.value IS NOT NULL LIMIT 1"
    )
    return connection.execute(sql, (picture, scorer)).fetchone() is not None


_CLEAR = "DELETE FROM ranking WHERE scorer IN (SELECT id FROM scorers) AND file = ?"
_RANK = """INSERT INTO ranking (scorer, file, folder, prompt, negated, cut, problem)
SELECT scorers.id, files.id, files.folder, files.prompt, -scores.value, scores.cut, scores.problem
FROM files
JOIN scorers
JOIN scores ON scores.picture = files.picture AND scores.scorer = scorers.id
    AND scores.prompt = CASE WHEN scorers.reads_prompt THEN files.prompt ELSE 0 END
WHERE files.id = ? AND files.gone = 0"""
_VISITED = """INSERT OR IGNORE INTO ranking (scorer, file, folder, prompt)
SELECT ?, id, folder, prompt FROM files WHERE id = ? AND gone = 0"""


def rank_file(connection: sqlite3.Connection, file: int, visited: Sequence[int] = ()) -> None:
    """Brings the ranking of a file up to date with its content, prompt and scores; ``visited`` are scorers that may have given none."""
    connection.execute(_CLEAR, (file,))
    connection.execute(_RANK, (file,))
    for scorer in visited:
        connection.execute(_VISITED, (scorer, file))
