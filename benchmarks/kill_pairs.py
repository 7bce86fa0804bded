"""Two processes with stores of their own on one folder at the same time, both killed at random instants."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagereward_core.errors import CuratorError
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.journal import open_journal
from imagereward_core.library.library import Library
from imagereward_core.scorers.panel import Panel

from .kill_folder import make_folder
from .kill_stages import Plan
from .killing import contents, killed_together, problems, tree

_MOST_SECONDS = 1.5
_TRIES = 30


@dataclass
class PairTally:
    """What happened so far.

    Attributes:
        trials: How often two processes were begun together.
        kills: Of either process.
        both: How often both were killed.
        wrong: What did not hold.
    """

    trials: int = 0
    kills: int = 0
    both: int = 0
    wrong: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Figures fit for JSON."""
        return {"pairs_of_processes": self.trials, "kills": self.kills, "both_killed": self.both}


def _is_sorted(name: str) -> bool:
    return Path(name).parts[0] in ("kept", "rejected")


class Pair:
    """One folder and two stores: one in it, one elsewhere.

    Args:
        base: A folder to work in.
        panel: The scorers.
        seed: Of the pictures and of the instants.
        pictures: How many.
        tally: What happened is added to it.
    """

    def __init__(self, base: Path, panel: Panel, seed: int, pictures: int, tally: PairTally) -> None:
        self.base, self.panel, self.tally = base, panel, tally
        self.chance = random.Random(seed)
        self.folder = make_folder(base / "outputs", pictures, seed)
        self.places = (self.folder / ".imagereward", base / "other store")
        self.before = tree(self.folder)
        originals = contents(self.before)
        self.allowed = {name: {content} for name, content in originals.items()}
        for place in self.places:
            with self._library(place) as library:
                library.scan([self.folder], panel)
        for plan in (Plan("stay", True), Plan("move", True)):
            self._do(self.places[0], plan)
            for name, content in contents(tree(self.folder)).items():
                origin = name.partition("/")[2] if name.split("/")[0] in ("kept", "rejected") else name
                self.allowed.setdefault(origin, set()).add(content)
            self._undo(self.places[0])
        self.new = {
            content for name, found in self.allowed.items() if name not in originals for content in found
        }
        self.allowed = {name: self.allowed[name] for name in originals}
        self._expect(tree(self.folder) == self.before, "an undisturbed run is undone")

    def _library(self, place: Path) -> Library:
        return Library.open(place, root=self.folder, data=self.base / "data")

    def _expect(self, so: bool, what: str) -> None:
        if not so:
            self.tally.wrong.append(f"two processes: not so: {what}")

    def run(self, trials: int) -> None:
        """Begins two processes together, again and again; in the end all is undone."""
        for _ in range(trials):
            works = [(self._seconds(), self._work(place)) for place in self.places]
            killed = killed_together(works)
            self.tally.trials += 1
            self.tally.kills += sum(killed)
            self.tally.both += all(killed)
            self._check(settled=False)
            for place in self.places:
                with open_journal(place, root=self.folder, data=self.base / "data") as journal:
                    unsettled = [problem for found in journal.recovered for problem in found.problems]
                    self._expect(not unsettled, f"every half-done step is settled: {unsettled}")
            self._check(settled=True)
        for number in range(_TRIES):
            stood = [self._undo(place) for place in self.places[:: 1 if number % 2 else -1]]
            if not any(stood):
                break
        # Neither store knows the other's runs, so two things may stay, and nothing else: a folder that one process made and that held
        # pictures of the other when the first one's steps were settled; a new XMP file that was elsewhere with its picture, by a run of
        # the other store, when the run that wrote it was undone.
        now = {
            name: entry
            for name, entry in tree(self.folder).items()
            if name in self.before
            or (entry.content not in self.new and not (entry.kind == "folder" and _is_sorted(name)))
        }
        self._expect(
            now == self.before, f"both undo: {sorted(set(now.items()) ^ set(self.before.items()))[:6]}"
        )

    def _seconds(self) -> float:
        return self.chance.random() * _MOST_SECONDS if self.chance.random() < 0.8 else 600.0

    def _work(self, place: Path) -> Callable[[], None]:
        plan = self.chance.choice((Plan("move", False), Plan("move", True), Plan("stay", True), None))

        def work() -> None:
            try:
                if plan is None:
                    self._undo(place)
                else:
                    self._do(place, plan)
            except CuratorError as error:  # reported to one of the two, or to both
                if not any(words in str(error) for words in ("another program", "nothing to undo")):
                    raise

        return work

    def _do(self, place: Path, plan: Plan) -> None:
        with self._library(place) as library:
            library.scan([self.folder], self.panel)
            carry_out(library, plan_curation(library, self.panel, self.folder, plan.options()))

    def _undo(self, place: Path) -> bool:
        """Takes one run back; whether there was one of which something stands."""
        with self._library(place) as library:
            with library.journal() as journal:
                standing = journal.last_done()
            if standing is not None:
                take_back(library)
        return standing is not None

    def _check(self, settled: bool) -> None:
        most = 1 if settled else None
        self.tally.wrong += problems(tree(self.folder), self.allowed, settled, self.new, most)
