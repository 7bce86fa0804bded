"""A process killed before chosen lines of the actions' code: every line there is an instant at which the folder can be left.

Used by ``kill_tests``, which takes many lines, and by the test suite, which takes a few.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from imagereward_core.library.journal import Step, execute, open_journal, undo
from imagereward_core.metadata.writing.splice import Splice

from .killing import Entry, contents, instants, killed_at_line, lines_of, problems, tree

KINDS = ("copy", "hardlink", "symlink", "move", "edit", "put")
_NEW = "new/00001.png.xmp"


def make_outputs(folder: Path) -> Path:
    """Two pictures; the first has a caption and an XMP file."""
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"{number:05}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]) * (1000 + number))
    (folder / "00000.txt").write_text("a red star", encoding="utf-8")
    (folder / "00000.png.xmp").write_text("<x/>", encoding="utf-8")
    return folder


def steps_of(kind: str, outputs: Path, goal: Path) -> list[Step]:
    """A run of steps of one kind; ``goal`` is where pictures go."""
    if kind == "edit":
        picture = outputs / "00000.png"
        return [Step("edit", picture, picture, (Splice(8, b"", b"chunk"), Splice(20, bytes(4), b"1234")))]
    if kind == "put":
        xmp, new = outputs / "00000.png.xmp", outputs / _NEW
        return [Step("put", xmp, xmp, content=b"<rated/>"), Step("put", new, new, content=b"<new/>")]
    names = ("00000.png", "00001.png")
    return [Step(kind, outputs / name, goal / "kept" / "best" / name) for name in names]  # type: ignore[arg-type]


class LineKills:
    """Kills of runs of one kind of step, each trial in a fresh folder.

    Args:
        kind: The kind.
        base: A folder to work in.
        leading_out: Whether all steps lead out of the folder the journal lies in, so that each has to be signed.
        away: A folder on another file system, where pictures go; None for the same folder.
    """

    def __init__(self, kind: str, base: Path, leading_out: bool = False, away: Path | None = None) -> None:
        self.kind, self.base, self.leading_out, self.away = kind, base, leading_out, away
        self.pattern = make_outputs(base / "pattern")
        self._fresh()
        self.before = self._tree()
        self.lines = lines_of(self.go_on)
        self.finished = contents(self._tree())
        self.lines_back = lines_of(self.take_back)
        self.kills = 0
        self.wrong: list[str] = []
        self._expect(self._tree() == self.before, "an undisturbed run is undone")
        originals = contents(self.before)
        self.allowed = {
            name: {content, self.finished.get(name, content)} for name, content in originals.items()
        }

    def _fresh(self) -> None:
        trial = self.base / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        if self.away is not None:
            shutil.rmtree(self.away, ignore_errors=True)
            self.away.mkdir(parents=True)
        self.folder, self.place = trial / "out", trial / ".imagereward"
        shutil.copytree(self.pattern, self.folder)
        self.data = trial / "data"
        if self.leading_out:
            self.place = self.folder / "store" / ".imagereward"
            self.place.parent.mkdir()

    def _tree(self) -> dict[str, Entry]:
        return tree(self.folder) if self.away is None else {**tree(self.folder), **tree(self.away)}

    def _expect(self, so: bool, what: str) -> None:
        if not so:
            self.wrong.append(f"{self.kind}: not so: {what}")

    def go_on(self) -> None:
        """What a person does: begins the run, or goes on with it."""
        with open_journal(self.place, data=self.data) as journal:
            known = journal.runs()
            execute(
                journal,
                known[-1].id
                if known
                else journal.begin("kills", steps_of(self.kind, self.folder, self.away or self.folder)),
            )

    def take_back(self) -> None:
        """Undoes whatever stands."""
        with open_journal(self.place, data=self.data) as journal:
            while journal.last_done() is not None:
                undo(journal)

    def _kill(self, number: int, work: Callable[[], None]) -> None:
        self._expect(killed_at_line(number, work), f"the process was killed before line {number}")
        self.kills += 1
        new = {b"<new/>"} if self.kind == "put" else set()
        self.wrong += problems(self._tree(), self.allowed, settled=False, others=new)

    def while_doing(
        self, numbers: Sequence[int], go_on: Callable[[int], bool] = lambda number: number % 2 == 0
    ) -> None:
        """Kills before lines of a run; then the run is gone on with, or not, and undone."""
        for number in numbers:
            self._fresh()
            self._kill(number, self.go_on)
            if go_on(number):
                self.go_on()
                self._expect(
                    contents(self._tree()) == self.finished,
                    f"finished after a kill before line {number}",
                )
            self._end(f"after a kill before line {number}")

    def while_undoing(self, numbers: Sequence[int]) -> None:
        """Kills before lines of an undo, which is then gone on with."""
        for number in numbers:
            self._fresh()
            self.go_on()
            self._kill(number, self.take_back)
            self._end(f"after a kill of undo before line {number}")

    def while_settling(self, undoing: bool, numbers: Sequence[int], more: int, seed: int) -> None:
        """Kills before lines of a run or of an undo, and then of what settles it when the journal is next opened.

        Args:
            undoing: Whether it is an undo.
            numbers: Lines of it.
            more: So many lines of the settling for each of them.
            seed: Which ones.
        """
        what = "undo" if undoing else "the run"
        for number in numbers:
            self._leave_half_done(undoing, number)
            lines = lines_of(self.settle)
            self._end(f"after a kill of {what} before line {number}")
            for line in instants(seed + number, lines, more):
                self._leave_half_done(undoing, number)
                self._kill(line, self.settle)
                self._end(
                    f"after a kill of {what} before line {number} and of the settling before line {line}"
                )

    def settle(self) -> None:
        """Opens the journal for work, which settles what is half done."""
        open_journal(self.place, data=self.data).close()

    def _leave_half_done(self, undoing: bool, number: int) -> None:
        self._fresh()
        if undoing:
            self.go_on()
        self._kill(number, self.take_back if undoing else self.go_on)

    def _end(self, when: str) -> None:
        with open_journal(self.place, data=self.data) as journal:
            for run in journal.runs():
                self._expect(not undo(journal, run.id).failed, f"every step was undone {when}")
                self._expect(journal.run(run.id).done == 0, f"nothing stands {when}")
        self._expect(self._tree() == self.before, f"the folder is as before {when}")
