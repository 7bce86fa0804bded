"""Scanning, curating, writing scores and undoing in child processes that are killed at random, and what must hold after every kill."""

from __future__ import annotations

import math
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.options import Action, CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.journal import open_journal
from imagereward_core.library.library import Library
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Query
from imagereward_core.scorers.panel import Panel
from imagereward_core.selection import Rule

from .kill_folder import make_folder
from .killing import Entry, contents, killed_after, problems, tree

Report = Callable[[str], None]
STAGES = ("scan", "curate", "write-back", "undo")


@dataclass(frozen=True)
class Plan:
    """What is done with a folder in one round.

    Attributes:
        action: What is done with pictures; ``"stay"`` for writing scores alone.
        write_scores: Whether scores are written into the pictures, and ratings beside them.
        across: Whether pictures go to folders on another file system, where a move is a copy and a removal.
    """

    action: Action
    write_scores: bool
    across: bool = False

    @property
    def stage(self) -> str:
        """What kills of it are counted as."""
        return "write-back" if self.action == "stay" else "curate"

    def options(self, away: Path | None = None) -> CurateOptions:
        """What is asked of the library; ``away`` is where pictures go that go to another file system."""
        return CurateOptions(
            rule=CurationRule(Rule(top_percent=40)),
            action=self.action,
            folders={} if away is None else {name: away / name for name in ("kept", "rejected")},
            write_scores=self.write_scores,
            xmp="both" if self.write_scores else "",
        )

    @property
    def most(self) -> int:
        """How often a picture may be there as a file."""
        return 2 if self.action in ("copy", "hardlink") else 1


_GIVING = (
    ("move", False), ("copy", True), ("hardlink", False), ("move", True), ("symlink", False),
    ("copy", False), ("hardlink", True), ("symlink", True),
)  # fmt: skip
PLANS = tuple(Plan(*each) for giving in _GIVING for each in (giving, ("stay", True)))  # type: ignore[arg-type]
ACROSS = (
    Plan("move", False, True),
    Plan("move", True, True),
    Plan("copy", True, True),
    Plan("copy", False, True),
)


@dataclass
class Tally:
    """What happened so far.

    Attributes:
        kills: By stage, processes killed while they worked.
        finished: By stage, processes that were done before their kill came.
        checks: How often a folder was looked at, file by file.
        scores: Scores reported by processes that were then killed; every one was found again.
        wrong: What did not hold.
    """

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    finished: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    checks: int = 0
    scores: int = 0
    wrong: list[str] = field(default_factory=list)


class Round:
    """One folder, scanned, curated and undone, with kills.

    Args:
        base: A folder to work in.
        panel: The scorers.
        plan: What is done.
        seed: Of the pictures and of the instants.
        pictures: How many.
        tally: What happened is added to it.
        away: A folder on another file system, for plans that go across.
    """

    def __init__(
        self,
        base: Path,
        panel: Panel,
        plan: Plan,
        seed: int,
        pictures: int,
        tally: Tally,
        away: Path | None = None,
    ) -> None:
        self.base, self.panel, self.plan, self.tally = base, panel, plan, tally
        self.away = away / "real" if away is not None and plan.across else None
        self.chance, self.pictures = random.Random(seed), pictures
        self.folder = make_folder(base / "outputs", pictures, seed)
        self.place = self.folder / ".imagereward"
        self.before = self._tree()
        self.key = key_of(panel.scorers[0])
        self.seconds: dict[str, float] = {}
        self.known: dict[str, float] = {}
        self.finished: dict[str, bytes] = {}

    def run(self) -> None:
        """The whole round. What is wrong goes to the tally."""
        self._undisturbed([("scan", self._scan)])
        self._stage("scan", self._scan, self._after_scan)
        self._expect(len(self.known) == self.pictures, "every picture has a score")
        plan = self.plan.stage
        self._undisturbed([(plan, self._curate), ("undo", self._undo)])
        self._stage(plan, self._curate, self._after_actions)
        self._check_tree(settled=True)
        # However often it was begun anew.
        self._expect(contents(self._tree()) == self.finished, "the folder is as after an undisturbed run")
        self._stage("undo", self._undo, self._after_actions)
        self._expect(
            self._tree() == self.before,
            "undo gives the folder back byte for byte, with times and permissions",
        )
        with self._library() as library:
            again = library.scan([self.folder], self.panel)
        self._expect(again.scored == 0, f"no score was lost ({again.scored} were made anew)")
        self._expect(self._scores() == self.known, "all scores are as they were")

    def _tree(self) -> dict[str, Entry]:
        """The folder and where its pictures went, which bears the same names there."""
        return tree(self.folder) if self.away is None else {**tree(self.folder), **tree(self.away)}

    def _library(self) -> Library:
        return Library.open(self.place, data=self.base / "data")

    def _expect(self, so: bool, what: str) -> None:
        if not so:
            self.tally.wrong.append(f"{self.plan.action}, scores {self.plan.write_scores}: not so: {what}")

    def _undisturbed(self, stages: Sequence[tuple[str, Callable[[Report], None]]]) -> None:
        """Stages on a copy of folder and store: how long they take, and what scores and files come out."""
        real, self.folder = self.folder, self.base / f"undisturbed {stages[0][0]}"
        away = self.away
        if away is not None:
            self.away = away.with_name(self.folder.name)
        shutil.copytree(real, self.folder)
        self.place = self.folder / ".imagereward"
        for stage, work in stages:
            began = time.perf_counter()
            work(lambda text: None)
            self.seconds[stage] = time.perf_counter() - began
            if stage == "scan":
                self.true_scores = self._scores()
            elif stage == self.plan.stage:
                self.finished = contents(self._tree())
        self.folder, self.place, self.away = real, real / ".imagereward", away
        originals = contents(self.before)
        self.allowed = {name: {content} for name, content in originals.items()}
        self.others = set(self.finished.values()) - set(originals.values())
        for name, content in self.finished.items():
            origin = name.partition("/")[2] if name.split("/")[0] in ("kept", "rejected") else name
            if origin in originals:
                self.allowed[origin].add(content)

    def _stage(self, stage: str, work: Callable[[Report], None], check: Callable[[list[str]], None]) -> None:
        """Does a stage, killed a few times on the way and looked at after each kill, to its end."""
        for _ in range(self.chance.randint(4, 8)):
            killed, told = killed_after(self.chance.random() * 0.9 * self.seconds[stage], work)
            (self.tally.kills if killed else self.tally.finished)[stage] += 1
            check(told)
            if not killed:
                break
        work(lambda text: None)
        check([])

    def _scan(self, report: Report) -> None:
        report("0")
        with self._library() as library:
            library.scan(
                [self.folder], self.panel, progress=lambda state: report(str(state.known + state.done))
            )

    def _after_scan(self, told: list[str]) -> None:
        self._check_tree(settled=True)
        with self._library() as library:
            found = library.count(Query(key=self.key, scored=True))
            found += sum(not row.content for row in library.rows(Query(folder=self.folder)))
        reported = max((int(text) for text in told), default=0)
        self.tally.scores += reported
        self._expect(found >= reported, f"of {reported} pictures reported as done {found} are in the store")
        now, true = self._scores(), self.true_scores
        # Among other pictures in its batch the number of a picture differs in the seventh digit.
        off = [name for name, value in now.items() if not math.isclose(value, true[name], abs_tol=1e-4)]
        self._expect(not off, f"scores are those of an undisturbed scan: {off}")
        self._expect(now.items() >= self.known.items(), "a score once in the store stays as it is")
        self.known = now

    def _scores(self) -> dict[str, float]:
        with self._library() as library:
            rows = list(library.rows(Query(key=self.key, folder=self.folder, order="name", scored=True)))
        names = [row.path.relative_to(self.folder).as_posix() for row in rows]
        self._expect(len(set(names)) == len(names), "each file is in the store once")
        return dict(zip(names, (float(row.value or 0) for row in rows), strict=True))

    def _curate(self, report: Report) -> None:
        report("0")
        with self._library() as library:
            library.scan([self.folder], self.panel, options=ScanOptions())
            curation = plan_curation(library, self.panel, self.folder, self.plan.options(self.away))
            carried = carry_out(library, curation)
        assert not carried.failed, carried.failed

    def _undo(self, report: Report) -> None:
        report("0")
        with self._library() as library:
            for _ in range(50):
                if not self._stands():
                    return
                taken = take_back(library)
                assert not taken.failed, taken.failed
        raise AssertionError("something stands that no undo takes back")

    def _stands(self) -> bool:
        with open_journal(self.place, data=self.base / "data") as journal:
            return journal.last_done() is not None

    def _after_actions(self, told: list[str]) -> None:
        self._check_tree(settled=False)
        if self.chance.random() < 0.7:  # else the next process finds what the killed one left
            with open_journal(self.place, data=self.base / "data") as journal:
                unsettled = [problem for found in journal.recovered for problem in found.problems]
                self._expect(not unsettled, f"every half-done step is settled: {unsettled}")
                self._expect(not journal.unsettled(), "nothing is half done after opening the journal")
            self._check_tree(settled=True)

    def _check_tree(self, settled: bool) -> None:
        self.tally.checks += 1
        most = self.plan.most if settled else None
        self.tally.wrong += problems(self._tree(), self.allowed, settled, self.others, most)


def describe_tally(tally: Tally) -> dict[str, Any]:
    """Figures fit for JSON."""
    return {
        "kills": tally.kills,
        "kills_in_all": sum(tally.kills.values()),
        "finished_before_the_kill": tally.finished,
        "folders_checked_file_by_file": tally.checks,
        "pictures_reported_as_scored_and_found_again": tally.scores,
    }
