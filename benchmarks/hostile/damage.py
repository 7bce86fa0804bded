"""Journals and libraries with flipped bits, cut off or written over: no picture is lost, and every error is one for people."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import sqlite3
from pathlib import Path

from ..fuzz_damage import flipped, overwritten, truncated
from ..kill_folder import make_folder
from ..killing import contents, hidden, killed_at_line, lines_of, tree
from .arena import Arena, apart, command

RULE = ("-s", "demo", "--top", "2", "--offline", "--yes")
DAMAGES = {"bits flipped": flipped, "cut off": truncated, "written over": overwritten}


def play(arena: Arena, number: int = 60, seed: int = 11) -> None:
    """``number`` damaged stores, half of them of a run that was killed; each is looked at, curated and undone.

    Args:
        arena: Where.
        number: How many.
        seed: Another one damages other bytes.
    """
    dice = random.Random(seed)
    finished, killed = _finished(arena), _killed(arena)
    for turn in range(number):
        pattern = (finished, killed)[turn % 2]
        file = ("journal.sqlite3", "journal.sqlite3", "library.sqlite3")[turn % 3]
        name, damage = list(DAMAGES.items())[turn // 2 % 3]
        room = arena.room()
        folder = room / "folder"
        shutil.copytree(pattern, folder)
        store = folder / ".imagereward" / file
        store.write_bytes(damage(dice, store.read_bytes()))
        what = f"{file}, {name}, {'a killed run' if turn % 2 else 'a finished run'}"
        for way, work in (
            ("undo --list", command("undo", folder, "--list")),
            ("curate --copy", command("curate", folder, *RULE, "--copy")),
            ("undo", command("undo", folder, "--yes")),
        ):
            before = set(contents(tree(folder)).values()) - _hidden(folder)
            ended = apart(work, cwd=room, home=room / "home")
            lost = before - set(contents(tree(folder)).values())
            wrong = [f"{len(lost)} files hold what is nowhere any more"] if lost else []
            arena.note("damaged stores", what, way, wrong, ended)


def _hidden(folder: Path) -> set[bytes]:
    found = tree(folder)
    return {found[name].content for name in hidden(found)}


def _finished(arena: Arena) -> Path:
    """A folder whose pictures were moved."""
    room = arena.room()
    folder = make_folder(room / "folder", 6, 3)
    apart(command("curate", folder, *RULE, "--move"), cwd=room, home=room / "home")
    _whole(folder)
    return folder


def _killed(arena: Arena) -> Path:
    """A folder in which the process that moved pictures was killed half-way."""
    pattern = make_folder(arena.room() / "pattern", 6, 4)

    def copied() -> Path:
        return Path(shutil.copytree(pattern, arena.room() / "folder"))

    first, second = copied(), copied()

    def work(folder: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            command("curate", folder, *RULE, "--move")()

    lines = lines_of(lambda: work(first))
    killed_at_line(lines * 6 // 10, lambda: work(second))
    _whole(second)
    return second


def _whole(folder: Path) -> None:
    """Brings what stands in SQLite's log into the file, so that its damage is not made good by the log."""
    for name in ("journal.sqlite3", "library.sqlite3"):
        connection = sqlite3.connect(folder / ".imagereward" / name)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
