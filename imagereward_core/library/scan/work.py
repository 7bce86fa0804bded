"""The second half of a scan: reads and decodes files ahead in threads, scores what is new, commits in small steps."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ...files.sqlite import Database
from ...metadata.missing import MissingPrompt
from ...metadata.prompt_finder import PromptFinder
from ...scorers.base import objection
from ..store.files import State, file_path, show_prompt, write_generated, write_version
from ..store.scores import has_any_score, lacking, rank_file, write_scores
from .keys import Voice
from .options import ScanOptions
from .pending import Asked, Entry, Pending
from .picture import Finding, Task, examine
from .progress import STAGES

if TYPE_CHECKING:
    from ...images.spec import ImageSpec
    from ...scores import Scores

Turn = Callable[[int], AbstractContextManager[None]]

_AHEAD = 128
"""Pictures decoded ahead of the model."""

_SECONDS = 2.0
"""How long a step should take: what being killed can cost at most."""

_LEAST, _MOST = 8, 256
_LOOKED_UP = 64
_CASE = """SELECT coalesce(picture, 0), prompt, shown.text, missing.text FROM files
JOIN texts shown ON shown.id = files.prompt JOIN texts missing ON missing.id = files.missing WHERE files.id = ?"""


@dataclass(frozen=True)
class Case:
    """A file on its way from its finding to its scores.

    Attributes:
        picture: Number of its content; 0 where it could not be decoded.
        prompt, text: The prompt it is shown with, as number and text.
        given: What scorers are given: that text, or why there is none.
        wanted: The scorers that are to score it now.
        visited: Numbers of the scorers that will have come to it then.
    """

    finding: Finding
    picture: int
    prompt: int
    text: str
    given: str | MissingPrompt
    wanted: tuple[Voice, ...]
    visited: tuple[int, ...]

    @property
    def file(self) -> int:
        """Number of the file."""
        return self.finding.task.file


@dataclass
class Tally:
    """Progress so far; ``stages`` in seconds."""

    done: int = 0
    failed: int = 0
    scored: int = 0
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


class Work:
    """Deals with the pending files of a scan.

    ``asked`` is what ``options`` ask in the library's numbers; ``turn`` is entered with the number of pictures when ``voices`` are to work.
    """

    def __init__(
        self,
        database: Database,
        options: ScanOptions,
        asked: Asked,
        voices: Sequence[Voice],
        turn: Turn | None = None,
    ) -> None:
        self.database, self.asked, self.voices = database, asked, tuple(voices)
        self._turn: Turn = turn or (lambda pictures: nullcontext())
        self.unscored_only = options.unscored_only
        self.finder = PromptFinder(
            None, options.prompt_from, options.raw_prompt, making=True, readable=options.readable
        )
        self.tally = Tally()
        self._step = 2 * _LEAST if self.voices else _MOST

    def run(self, pending: Pending, report: Callable[[], None], cancelled: Callable[[], bool]) -> bool:
        """Deals with all of ``pending``; False if it was stopped. What is reported is in the store.

        Raises:
            StoreError: The store cannot be written.
        """
        processors = os.cpu_count() or 2
        threads = max(1, min(16, processors - 1 if self.voices else processors))
        entries = self._tasks(pending)
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            ahead: deque[Future[Finding]] = deque()
            try:
                while True:
                    for task in islice(entries, max(0, self._step + _AHEAD - len(ahead))):
                        ahead.append(pool.submit(examine, task, self.finder))
                    if not ahead:
                        return True
                    if cancelled():
                        return False
                    self._deal_with(self._collect(ahead))
                    report()
            finally:  # also when the model fails or is stopped: what nobody will look at is not decoded
                for future in ahead:
                    future.cancel()

    def _collect(self, ahead: deque[Future[Finding]]) -> list[Finding]:
        """The next findings in order: a step's worth, or what came together in its time."""
        found: list[Finding] = []
        until = time.monotonic() + _SECONDS
        while ahead and len(found) < self._step and (not found or time.monotonic() < until):
            found.append(ahead.popleft().result())
        return found

    def _tasks(self, pending: Pending) -> Iterator[Task]:
        """The tasks for pending files, looked up a few at a time."""
        entries = iter(pending)
        while some := list(islice(entries, _LOOKED_UP)):
            with self.database.reading() as connection:
                tasks = [self._task(connection, entry) for entry in some]
            yield from tasks

    def _task(self, connection: sqlite3.Connection, entry: Entry) -> Task:
        path = file_path(connection, entry.file)
        if entry.content or (entry.prompt and any(voice.reads_prompt for voice in self.voices)):
            return Task(entry.file, path, entry.beside, True, entry.prompt, _specs(self.voices))
        picture, own = connection.execute(
            "SELECT picture, own FROM files WHERE id = ?", (entry.file,)
        ).fetchone()
        prompt = own if self.asked.prompt is None else self.asked.prompt
        wanted = () if picture is None else self._wanted(connection, picture, prompt)[0]
        return Task(entry.file, path, entry.beside, bool(wanted), entry.prompt, _specs(wanted))

    def _wanted(
        self, connection: sqlite3.Connection, picture: int, prompt: int
    ) -> tuple[tuple[Voice, ...], tuple[Voice, ...]]:
        """The scorers that have said nothing yet about a content with a prompt: those that are to, and those that shall not."""
        open_to = lacking(connection, picture, prompt, self.voices)
        if not self.unscored_only or not open_to:
            return open_to, ()
        starred = (
            connection.execute("SELECT stars FROM pictures WHERE id = ?", (picture,)).fetchone()[0]
            is not None
        )
        left = tuple(
            voice for voice in open_to if starred or has_any_score(connection, picture, voice.scorer.card.id)
        )
        return tuple(voice for voice in open_to if voice not in left), left

    def _deal_with(self, findings: Sequence[Finding]) -> None:
        """Commits what was found out, scores what is to be scored and commits that."""
        began = time.perf_counter()
        claimed: set[tuple[int, int, int]] = set()
        with self.database.writing() as connection:
            cases = [self._note(connection, finding, claimed) for finding in findings]
            for case in cases:
                if not case.wanted:
                    rank_file(connection, case.file, case.visited)
        scored = time.perf_counter()
        results = [(group, voices, self._score(group, voices)) for voices, group in _by_voices(cases).items()]
        written = time.perf_counter()
        if results:
            with self.database.writing() as connection:
                for group, voices, scores in results:
                    pictures, prompts = [case.picture for case in group], [case.prompt for case in group]
                    for voice, some in zip(voices, scores):
                        write_scores(connection, voice, pictures, prompts, some)
                for case in cases:
                    # also those whose picture was scored under another name in the same step
                    rank_file(connection, case.file, case.visited)
            self._adapt(sum(len(group) for group, _, _ in results), written - scored)
        self._count(cases, results)
        stages = self.tally.stages
        stages["read"] += sum(finding.read_seconds for finding in findings)
        stages["decode"] += sum(finding.decode_seconds for finding in findings)
        stages["infer"] += written - scored
        stages["write"] += scored - began + time.perf_counter() - written

    def _note(
        self, connection: sqlite3.Connection, finding: Finding, claimed: set[tuple[int, int, int]]
    ) -> Case:
        """Stores what was found out about a file, and returns what is still to be done."""
        task = finding.task
        if task.content or finding.problem:
            state = State.READ if finding.settled and not finding.passing else State.AGAIN
            write_version(
                connection,
                task.file,
                finding.size,
                finding.modified_ns,
                state,
                finding.content,
                finding.problem,
            )
        if finding.generated is not None:
            write_generated(connection, task.file, task.beside, self.asked.mark, finding.generated)
        show_prompt(connection, task.file, self.asked.prompt)
        picture, prompt, text, missing = connection.execute(_CASE, (task.file,)).fetchone()
        given = MissingPrompt(missing) if missing and self.asked.prompt is None else text
        wanted, left = ((), ()) if not picture else self._wanted(connection, picture, prompt)
        wanted = tuple(
            voice
            for voice in wanted
            if voice.scorer.spec in finding.pixels
            and not objection(voice.scorer.card, given)
            and (picture, prompt if voice.reads_prompt else 0, voice.number) not in claimed
        )
        claimed |= {(picture, prompt if voice.reads_prompt else 0, voice.number) for voice in wanted}
        visited = tuple(voice.number for voice in self.voices if voice not in left)
        return Case(finding, picture, prompt, text, given, wanted, visited)

    def _score(self, group: Sequence[Case], voices: Sequence[Voice]) -> list[Scores]:
        from ...scorers.engine import score_together
        from ...scorers.inputs import Prepared

        pictures = [Prepared(case.finding.pixels) for case in group]
        with self._turn(len(pictures)):
            return score_together(
                [voice.scorer for voice in voices], pictures, [case.given for case in group]
            )

    def _adapt(self, pictures: int, seconds: float) -> None:
        """Makes the next step so large that it takes about ``_SECONDS``."""
        wished = round(pictures / max(seconds, 1e-3) * _SECONDS)
        self._step = max(_LEAST, min(_MOST, 2 * self._step, wished))

    def _count(
        self, cases: Sequence[Case], results: Sequence[tuple[list[Case], tuple[Voice, ...], list[Scores]]]
    ) -> None:
        failed = {
            case.file
            for case in cases
            if case.finding.problem or any(objection(voice.scorer.card, case.given) for voice in self.voices)
        }
        for group, _, scores in results:
            for some in scores:
                failed |= {group[index].file for index in some.failures}
                self.tally.scored += len(some) - len(some.failures)
        self.tally.failed += len(failed)
        self.tally.done += len(cases)


def _specs(voices: Sequence[Voice]) -> tuple[ImageSpec, ...]:
    return tuple(dict.fromkeys(voice.scorer.spec for voice in voices))


def _by_voices(cases: Sequence[Case]) -> dict[tuple[Voice, ...], list[Case]]:
    """The cases to be scored, those that the same scorers are to score together."""
    groups: dict[tuple[Voice, ...], list[Case]] = {}
    for case in cases:
        if case.wanted:
            groups.setdefault(case.wanted, []).append(case)
    return groups
