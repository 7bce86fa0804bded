"""Quick mode of a project: chooses what to ask, and makes ranks of the answers."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from imagereward_core.errors import CuratorError
from imagereward_core.files import STORE_FOLDER
from imagereward_core.files.command_words import place_words
from imagereward_core.library.library import Library
from imagereward_core.ranking import QuickRanking, RankedRow, csv_text, json_text

from ..project.folder import Project
from ..project.from_library import has_library, scores_of
from ..protocol.keys import QUICK
from ..records import GoneError, Person, Question, Rank
from ..store.people import locked
from ..store.tasks import StoredTask, all_tasks, count_of_images
from . import questions
from .library_answers import kept_by

_LEAST_ASKED = 24
"""Prompts that are compared by how much their best question tells: those that were asked about least, for their number of pictures."""
_NORMAL = 1.959964
"""Standard errors to either end of an interval of 95 %."""
WARNING = (
    "Pictures of different prompts are compared here: their ranks mix how good a picture is with how hard its prompt is, and with which "
    "subjects people like."
)


class QuickSession:
    """Quick mode of one project.

    Args:
        project: The project.
        data: The user's own folder for this program, which vouches for libraries.

    Raises:
        StoreError: The file of answers of its library cannot be used.
    """

    def __init__(self, project: Project, data: Path | None = None) -> None:
        self.project, self.data = project, data
        self.kept = kept_by(project)
        self.place = project.library or project.images / STORE_FOLDER
        self._known_tasks: list[StoredTask] = []
        self._known_count = -1
        self._known_scores: dict[str, dict[str, float]] | None = None

    def close(self) -> None:
        """Lets go of the answers."""
        self.kept.close()

    def refreshed(self, connection: Connection) -> questions.Kept:
        """The answers, those that were given elsewhere meanwhile among them."""
        self.kept.refresh(connection, self.tasks(connection))
        return self.kept

    def answer(
        self,
        connection: Connection,
        person: Person,
        question: int,
        winner: str | None,
        seconds: float | None,
        now: float,
    ) -> None:
        """Keeps an answer; errors as of :func:`.questions.answer`."""
        self.refreshed(connection).answer(connection, person, question, winner, seconds, now)

    def pass_over(self, connection: Connection, person: Person, question: int, now: float) -> None:
        """Notes that somebody does not answer a question; errors as of :func:`.questions.pass_over`."""
        self.refreshed(connection).pass_over(connection, person, question, now)

    def take_back(self, connection: Connection, person: Person, now: float) -> bool:
        """Opens the question that somebody dealt with last again; false where there is none."""
        return self.refreshed(connection).take_back(connection, person, now)

    def done_by(self, connection: Connection, person: Person) -> int:
        """How many questions somebody answered."""
        return self.refreshed(connection).done_by(connection, person)

    def count(self, connection: Connection) -> int:
        """How many questions were answered."""
        return sum(self.refreshed(connection).counts(connection).values())

    def tasks(self, connection: Connection) -> list[StoredTask]:
        """The tasks of quick mode, which only an import adds to."""
        count = count_of_images(connection)
        if count != self._known_count:
            self._known_tasks = [task for task in all_tasks(connection) if task.mode == QUICK]
            self._known_count = count
        return self._known_tasks

    def questions(
        self, connection: Connection, person: Person, now: float, most: int = 1
    ) -> tuple[Question, ...]:
        """The questions somebody is at, and those that tell most after them, up to ``most``; fewer where enough is known of all."""
        locked(connection, person.id)
        tasks = {task.id: task for task in self.tasks(connection)}
        kept = self.refreshed(connection)
        rows = [row for row in kept.waiting(connection, person.id) if row.task_id in tasks][:most]
        while len(rows) < most:
            chosen = self._best(connection, person, list(tasks.values()), rows)
            if chosen is None:
                break
            rows.append(questions.ask(connection, person.id, chosen[0].id, chosen[1], now))
        return tuple(self._shown(connection, person, tasks[row.task_id], row) for row in rows)

    def question(self, connection: Connection, person: Person, now: float) -> Question | None:
        """The question somebody is at, else the one that tells most; None where enough is known of all."""
        return next(iter(self.questions(connection, person, now)), None)

    def _best(
        self, connection: Connection, person: Person, tasks: list[StoredTask], waiting: Sequence[Row[Any]]
    ) -> tuple[StoredTask, tuple[str, ...]] | None:
        asked = Counter(self.kept.counts(connection))
        asked.update(row.task_id for row in waiting)
        size = self.project.options.side_by_side
        rest = [task for task in tasks if asked[task.id] < self._enough(task)]
        rest.sort(key=lambda task: (asked[task.id] / len(self.kept.ids(task)), task.id))
        best, most = None, -math.inf
        for task in rest[:_LEAST_ASKED]:
            known = self._ranking(connection, task, person)
            for row in waiting:  # what they are asked already is not asked twice
                if row.task_id == task.id:
                    known = known.skipped(json.loads(row.images))
            found = known.question(min(size, len(known.images)))
            if found is not None and found.information > most:
                best, most = (task, found.images), found.information
        return best

    def _enough(self, task: StoredTask) -> int:
        """How many questions about a task are enough; none where nothing can be compared."""
        pictures = len(self.kept.ids(task))
        return math.ceil(self.project.options.questions * pictures) if pictures > 1 else 0

    def _ranking(
        self, connection: Connection, task: StoredTask, person: Person | None = None
    ) -> QuickRanking:
        """What is known of a task's pictures."""
        said = self.kept.said(connection, task, person)
        names = dict(zip(task.ids, task.names))
        images, asker = self.kept.ids(task), 0 if person is None else person.id
        scores = self._scores()
        # A scorer that has scored some of them says nothing about the others.
        some = tuple(
            [of.get(names[image], math.nan) for image in images]
            for of in scores.values()
            if any(names[image] in of for image in images)
        )
        return QuickRanking(
            images=images,
            comparisons=said.comparisons,
            skips=said.skips,
            scores=some,
            seed=random.Random(f"{self.project.options.seed}/{task.key}/{asker}").randrange(2**31),
        )

    def _scores(self) -> dict[str, dict[str, float]]:
        """Stored scores by scorer and name: where scorers disagree, a question tells more."""
        if self._known_scores is None:
            try:
                root = self.project.images
                self._known_scores = scores_of(root, self.place) if has_library(root, self.place) else {}
            except CuratorError:  # a library that cannot be read costs hints, and nothing else
                self._known_scores = {}
        return self._known_scores

    def _shown(self, connection: Connection, person: Person, task: StoredTask, row: Row[Any]) -> Question:
        pictures = {picture.id: picture for picture in task.images}
        names = dict(zip(task.ids, task.names))
        images = [image for image in json.loads(row.images) if image in pictures]
        total = sum(self._enough(each) for each in self.tasks(connection))
        return Question(
            id=row.id,
            prompt=task.prompt,
            translation=task.translation,
            images=tuple(pictures[image] for image in images),
            stars=self._stars({image: names[image] for image in images}),
            across_prompts=self.project.options.across_prompts,
            done=self.kept.done_by(connection, person),
            expected=total,
        )

    def _stars(self, names: Mapping[str, str]) -> dict[str, int | None]:
        root = self.project.images
        known: dict[Path, int | None] = {}
        if has_library(root, self.place):
            try:
                with Library.look(self.place, root=root) as library:
                    paths = [root / name for name in names.values()]
                    known = {row.path: row.stars for row in library.find(paths)}
            except CuratorError:
                known = {}
        return {image: known.get(root / name) for image, name in names.items()}

    def set_stars(self, name: str, stars: int | None) -> None:
        """Sets the library's stars of a picture.

        Raises:
            GoneError: The folder has no library, or it does not know the picture.
            StoreError: The library cannot be written.
        """
        root = self.project.images
        if not has_library(root, self.place):
            raise GoneError(
                "no_library",
                f"there is no library in {self.place}, which keeps stars; make one with: "
                f"imagereward stars {place_words(root, self.place)} --set 3 A_PICTURE",
            )
        try:
            with Library.open(self.place, root=root, data=self.data) as library:
                library.set_stars(root / name, stars)
        except LookupError as error:
            raise GoneError(
                "not_in_library", f"the library of {root} does not know {name}; scan the folder first"
            ) from error

    def rows(self, connection: Connection) -> list[tuple[StoredTask, RankedRow]]:
        """Ranks of all tasks, the best first within each."""
        self.refreshed(connection)
        return [
            (task, row) for task in self.tasks(connection) for row in self._ranking(connection, task).rows()
        ]

    def ranks(self, connection: Connection) -> tuple[Rank, ...]:
        """The same as pages show them."""
        found = []
        for task, row in self.rows(connection):
            found.append(
                Rank(
                    image=row.image,
                    name=dict(zip(task.ids, task.names))[row.image],
                    prompt=task.prompt,
                    rank=row.rank,
                    strength=row.strength,
                    low=row.strength - _NORMAL * row.error,
                    high=row.strength + _NORMAL * row.error,
                    asked=row.shown,
                )
            )
        return tuple(found)

    def text(self, connection: Connection, form: str) -> str:
        """The ranks as ``csv`` or ``json``, pictures by their names.

        Raises:
            GoneError: There is no such form.
        """
        if form not in ("csv", "json"):
            raise GoneError("bad_form", f"found the form {form!r}; expected csv or json")
        found = self.rows(connection)
        names = {image: name for task, _ in found for image, name in zip(task.ids, task.names)}
        prompts = {image: task.prompt for task, _ in found for image in task.ids}
        rows = [row for _, row in found]
        stars = self._stars(names)
        beside: dict[str, Mapping[str, Any]] = {
            "name": names,
            "prompt": prompts,
            "stars": {image: value for image, value in stars.items() if value is not None},
        }
        if form == "csv":
            return csv_text(rows, beside)
        across = self.project.options.across_prompts
        return json_text(rows, beside, {"across_prompts": across, **({"warning": WARNING} if across else {})})
