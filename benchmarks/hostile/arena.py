"""One case, the command or anything else, in a watched process of its own, and the state of all files afterwards."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..killing import Entry
from ..machine import memory_mib

LIMIT_SECONDS = 60.0
"""For one command, on a machine that does other things too."""
LIMIT_MIB = 1536
"""By how much one command may grow beyond the loaded program."""

Work = Callable[[], "int | None"]


@dataclass(frozen=True)
class Ended:
    """How a process came to its end.

    Attributes:
        code: Its exit code; -1 where it was ended because it did not end by itself.
        said: What it wrote, to either stream.
        seconds: How long it took.
        grown_mib: By how much its memory grew at most; 0 where that is not known.
        hung: Whether it had to be ended.
    """

    code: int
    said: str
    seconds: float
    grown_mib: float
    hung: bool = False

    @property
    def wrong(self) -> list[str]:
        """What no program of ours may do, whatever lies in a folder."""
        found = []
        if self.hung:
            found.append(f"it did not end in {LIMIT_SECONDS:g} s")
        elif self.code < 0 or self.code not in (0, 1, 2, 3, 4, 130):
            found.append(f"it ended with {self.code}")
        for words in ("Traceback (most recent", "unexpected error"):
            if words in self.said:
                found.append(f"it says: {self.said[self.said.index(words) :][-300:]}")
        if self.grown_mib > LIMIT_MIB:
            found.append(f"it took {self.grown_mib:.0f} MiB")
        return found


def apart(
    work: Work,
    *,
    cwd: Path,
    home: Path,
    until: str = "",
    limit: float = LIMIT_SECONDS,
    limits: Work | None = None,
) -> Ended:
    """Does ``work`` in a child process.

    Args:
        work: Returns the exit code; None for 0.
        cwd: Its working folder.
        home: Its home folder.
        until: Once it has said this, it is interrupted as by Ctrl-C.
        limit: Seconds after which it is ended.
        limits: Called first of all, in the child.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        said, told = Path(name, "said"), Path(name, "told")
        began = time.monotonic()
        child = os.fork()
        if not child:
            _be_child(work, cwd, home, said, told, limits)
        interrupted = hung = False
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            now = time.monotonic() - began
            if until and not interrupted and (until in _text(said) or now > limit / 2):
                interrupted = True
                time.sleep(0.7)
                os.kill(child, signal.SIGINT)
            if now > limit:
                hung = True
                os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
                break
            time.sleep(0.005)
        seconds = time.monotonic() - began
        grown = json.loads(told.read_text())["grown"] if told.exists() else 0.0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        return Ended(code, _text(said), seconds, grown, hung)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _be_child(work: Work, cwd: Path, home: Path, said: Path, told: Path, limits: Work | None) -> None:
    code = 99
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        written = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
        for number, handle in ((0, nothing), (1, written), (2, written)):
            os.dup2(handle, number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for the rest of the process
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        os.environ.update(HOME=str(home), USERPROFILE=str(home))
        os.environ.pop("XDG_DATA_HOME", None)
        os.chdir(cwd)
        if limits is not None:
            limits()
        before = _from_here()
        code = work() or 0
        told.write_text(json.dumps({"grown": max(0.0, (memory_mib("VmHWM") or 0) - before)}))
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 2
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _from_here() -> float:
    """Begins counting peak memory anew where the system can; MiB in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return memory_mib("VmHWM") or 0.0
    return memory_mib("VmRSS") or 0.0


def command(*arguments: object) -> Work:
    """The command ``imagereward`` with these arguments."""

    def work() -> int:
        from imagereward_core.cli.main import main

        return main([str(argument) for argument in arguments])

    return work


def warm_up(folder: Path) -> None:
    """Loads in this process what commands load, so that those forked from it need not."""
    from PIL import Image

    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for words in (
            "curate {} -s demo --top 1 --copy --yes",
            "undo {} --yes",
            "report {}",
            "stars {}",
            "watch {} --help",
        ):
            command(*(str(folder) if word == "{}" else word for word in words.split()))()
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Case:
    """One thing that was tried.

    Attributes:
        group: What kind of thing.
        name: What lay there.
        way: What was done.
        wrong: What did not hold.
        skipped: Why it was not tried, where it was not.
        seconds, grown_mib: Of the process.
    """

    group: str
    name: str
    way: str
    wrong: tuple[str, ...] = ()
    skipped: str = ""
    seconds: float = 0.0
    grown_mib: float = 0.0


@dataclass
class Arena:
    """Where cases are played.

    Attributes:
        base: A folder; each case has one of its own in it.
        cases: What was tried.
    """

    base: Path
    cases: list[Case] = field(default_factory=list)

    def room(self) -> Path:
        """A new folder with an empty home folder in it."""
        room = Path(tempfile.mkdtemp(dir=self.base))
        (room / "home").mkdir()
        return room

    def note(self, group: str, name: str, way: str, wrong: Sequence[str], ended: Ended | None = None) -> None:
        """Adds a case, and prints it where something did not hold."""
        if ended is not None:
            wrong = [*ended.wrong, *wrong]
        seconds, grown = (ended.seconds, ended.grown_mib) if ended is not None else (0.0, 0.0)
        self.cases.append(Case(group, name, way, tuple(wrong), "", round(seconds, 2), round(grown, 1)))
        for line in wrong:
            print(f"WRONG: {group}, {name}, {way}: {line}", flush=True)

    def skip(self, group: str, name: str, why: str) -> None:
        """Notes that something cannot be tried here."""
        self.cases.append(Case(group, name, "", (), why))
        print(f"skipped: {group}, {name}: {why}", flush=True)


def changes(before: dict[str, Entry], after: dict[str, Entry], where: str, facts: bool = True) -> list[str]:
    """What is different in a folder, in words; empty where nothing is.

    Args:
        before: The folder as it was.
        after: As it is.
        where: What to call it.
        facts: Whether permissions and times count.
    """
    wrong = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            wrong.append(f"{where}: {name} {'is new' if old is None else 'is gone'}")
        elif (old.content, old.kind) != (new.content, new.kind):
            wrong.append(f"{where}: {name} holds other bytes")
        elif facts and old.facts != new.facts:
            wrong.append(f"{where}: {name} has another time or other permissions")
    return wrong


def stores(folder: Path) -> dict[str, bytes]:
    """The files of a folder's store; nothing but names for what are no files."""
    place = folder / ".imagereward"
    found = {}
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        found[path.name] = path.read_bytes() if path.is_file() else b""
    return found
