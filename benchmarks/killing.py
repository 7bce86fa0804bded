"""Processes killed at chosen or random instants, and what must hold in a folder of pictures afterwards.

Used by ``kill_tests`` and by the test suite. Needs a system with ``fork`` (Linux, macOS).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from imagereward_core.library.journal.files import TEMPORARY_PREFIX

WATCHED = tuple(str(Path(part)) for part in ("library/journal", "files/sqlite.py", "writing/splice.py"))
"""Parts of file names whose lines count as instants."""


def lines_of(work: Callable[[], None]) -> int:
    """How many lines of the watched files ``work`` runs, in a child process; those of threads that wait for the disk are not counted.

    Raises:
        RuntimeError: The work failed by itself; its traceback is on stderr.
    """
    reading, writing = os.pipe()
    child = _child(lambda: _traced(work, 0, lambda lines: os.write(writing, str(lines).encode())))
    _killed(os.waitpid(child, 0)[1])
    os.close(writing)
    count = int(os.read(reading, 64))
    os.close(reading)
    return count


def killed_at_line(number: int, work: Callable[[], None]) -> bool:
    """Does ``work`` in a child process that gets SIGKILL before the line of this number (from 1) of the watched files runs.

    Returns:
        Whether it was killed; false where it was done before.

    Raises:
        RuntimeError: The work failed by itself; its traceback is on stderr.
    """
    child = _child(lambda: _traced(work, number, lambda lines: None))
    return _killed(os.waitpid(child, 0)[1])


def _traced(work: Callable[[], None], last: int, tell: Callable[[int], object]) -> None:
    """Works, counts lines, ends the process before line ``last``, and otherwise reports the count."""
    lines = 0

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if event == "line":
            lines += 1
            if lines == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if any(part in frame.f_code.co_filename for part in WATCHED) else None

    sys.settrace(call)
    try:
        work()
    finally:
        sys.settrace(None)
    tell(lines)


def killed_after(seconds: float, work: Callable[[Callable[[str], None]], None]) -> tuple[bool, list[str]]:
    """Does ``work`` in a child process that gets SIGKILL after a while, counted from when it first reports something.

    Args:
        seconds: How long.
        work: Is given a function by which it reports; what is reported has left the process when that returns.

    Returns:
        Whether it was killed, and what it had reported by then.
    """
    reading, writing = os.pipe()

    def report(text: str) -> None:
        os.write(writing, text.encode() + b"\n")

    child = _child(lambda: work(report))
    os.close(writing)
    data = os.read(reading, 65536)
    deadline = time.perf_counter() + seconds
    finished = 0
    while not finished and time.perf_counter() < deadline:
        finished, status = os.waitpid(child, os.WNOHANG)
        time.sleep(min(0.0005, max(0.0, deadline - time.perf_counter())))
    if not finished:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    while block := os.read(reading, 65536):
        data += block
    os.close(reading)
    # Only whole lines were reported for certain.
    return _killed(status), data.decode().split("\n")[:-1]


def killed_together(works: Sequence[tuple[float, Callable[[], None]]]) -> list[bool]:
    """Does several things at the same time, each in a child process that gets SIGKILL after its seconds.

    Returns:
        For each whether it was killed.

    Raises:
        RuntimeError: One failed by itself; its traceback is on stderr.
    """
    began = time.perf_counter()
    left = {_child(work): (number, seconds) for number, (seconds, work) in enumerate(works)}
    ended: dict[int, int] = {}
    while left:
        for child, (number, seconds) in list(left.items()):
            if time.perf_counter() - began >= seconds:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                ended[number] = status
                del left[child]
        time.sleep(0.0005)
    return [_killed(ended[number]) for number in range(len(works))]


def _child(work: Callable[[], None]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _killed(status: int) -> bool:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"the child failed by itself (status {status}); its traceback is above")
    return False


@dataclass(frozen=True)
class Entry:
    """One name in a tree.

    Attributes:
        content: The bytes of a file, the text of a symbolic link, empty for a folder.
        kind: file, link, folder, or other for pipes and the like.
        facts: Permissions and time of the last change of a file; empty for the others.
    """

    content: bytes
    kind: str
    facts: tuple[int, int] | tuple[()] = ()


def tree(folder: Path) -> dict[str, Entry]:
    """Everything in a folder but the stores, by path."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        if ".imagereward" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = Entry(os.fsencode(path.readlink()), "link")
        elif not path.is_file():
            found[name] = Entry(b"", "folder" if path.is_dir() else "other")
        else:
            facts = path.stat()
            found[name] = Entry(path.read_bytes(), "file", (facts.st_mode, facts.st_mtime_ns))
    return found


def contents(entries: Mapping[str, Entry]) -> dict[str, bytes]:
    """Only what files and links hold, by path."""
    return {name: entry.content for name, entry in entries.items() if entry.kind in ("file", "link")}


def hidden(entries: Mapping[str, Entry]) -> list[str]:
    """Files under a temporary name of ours."""
    return [name for name in entries if Path(name).name.startswith(TEMPORARY_PREFIX)]


def problems(
    now: Mapping[str, Entry],
    allowed: Mapping[str, set[bytes]],
    settled: bool,
    others: Collection[bytes] = (),
    most: int | None = None,
) -> list[str]:
    """What is wrong with a tree at some instant; empty where all is well.

    Args:
        now: The tree.
        allowed: By picture, a name for it: every content that it may have at any time.
        settled: Whether half-done steps were settled since the last kill; then no temporary file may be left.
        others: Contents of files that may be there as well.
        most: How often a picture may be there as a file once settled; None for any number.
    """
    wrong = []
    left_over = set(hidden(now))
    if settled and left_over:
        wrong.append(f"temporary files remain: {sorted(left_over)}")
    by_content = {content: picture for picture, versions in allowed.items() for content in versions}
    seen: dict[str, int] = {}
    for name, entry in now.items():
        if entry.kind != "file" or name in left_over:
            continue
        picture = by_content.get(entry.content)
        if picture is None and entry.content in others:
            continue
        if picture is None:
            wrong.append(f"{name} holds {len(entry.content)} bytes that nobody wrote as a whole")
        else:
            seen[picture] = seen.get(picture, 0) + 1
    wrong += [f"{picture} is lost" for picture in allowed if picture not in seen]
    if settled and most is not None:
        wrong += [f"{picture} is there {count} times" for picture, count in seen.items() if count > most]
    return wrong


def instants(seed: int, most: int, count: int) -> list[int]:
    """Different line numbers from 1 to ``most``, evenly spread at random."""
    generator = random.Random(seed)
    step = most / count
    return sorted({1 + int(index * step + generator.random() * step) for index in range(count)})
