"""Undo in folders that were copied, renamed, linked or mounted elsewhere, and two programs with stores of their own on one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kill_folder import make_folder
from ..killing import contents, tree
from .arena import Arena, Work, apart, changes, command

RULE = ("-s", "demo", "--top", "2", "--offline", "--yes")
ROUNDS = 6


def play(arena: Arena) -> None:
    """All of it, with folders of eight pictures."""
    pattern = make_folder(arena.room() / "pattern", 8, 9)
    for how in (
        ("--move",),
        ("--copy", "--write-back"),
        ("--link",),
        ("--symlink",),
        ("--move", "--write-back", "--xmp"),
    ):
        _copied(arena, pattern, how)
        for name, way in ELSEWHERE.items():
            _elsewhere(arena, pattern, how, name, way)
        _last_copies(arena, pattern, how)
    for number in range(ROUNDS):
        _two_stores(arena, pattern, number)
    _one_store(arena, pattern)
    _hard_links(arena, pattern)


def _copied(arena: Arena, pattern: Path, how: tuple[str, ...]) -> None:
    room = arena.room()
    folder, backup = room / "folder", room / "backup"
    shutil.copytree(pattern, folder)
    before = tree(folder)
    apart(command("curate", folder, *RULE, *how), cwd=room, home=room / "home")
    shutil.copytree(folder, backup, symlinks=True)
    after = tree(folder)
    ended = apart(command("undo", backup, "--yes"), cwd=room, home=room / "home")
    wrong = changes(after, tree(folder), "the original")
    if not wrong and "--symlink" not in how:
        wrong = changes(before, tree(backup), "the copy", facts=False)
    arena.note("folders", "a copy", f"{' '.join(how)}, undo", wrong, ended)
    ended = apart(command("undo", folder, "--yes"), cwd=room, home=room / "home")
    arena.note(
        "folders",
        "its original",
        f"{' '.join(how)}, undo",
        changes(before, tree(folder), "the original"),
        ended,
    )


@contextmanager
def renamed(folder: Path, place: Path) -> Iterator[bool]:
    """The folder lies in another place."""
    folder.rename(place)
    yield True
    place.rename(folder)


@contextmanager
def linked(folder: Path, place: Path) -> Iterator[bool]:
    """The folder shows in another place as well, by a link."""
    place.symlink_to(folder, target_is_directory=True)
    yield True
    place.unlink()


@contextmanager
def mounted(folder: Path, place: Path) -> Iterator[bool]:
    """The folder shows in another place as well, as by a mapped drive; false where nothing may be mounted."""
    place.mkdir(exist_ok=True)
    done = (
        subprocess.run(["mount", "--bind", folder, place], check=False, capture_output=True).returncode == 0
    )
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", place], check=True)


ELSEWHERE: dict[str, Callable[[Path, Path], object]] = {
    "a renamed folder": renamed,
    "a folder by a link": linked,
    "a bind mount": mounted,
}


def _elsewhere(arena: Arena, pattern: Path, how: tuple[str, ...], name: str, way: Callable) -> None:
    room = arena.room()
    folder, place = room / "folder", room / "place"
    shutil.copytree(pattern, folder)
    before = tree(folder)
    apart(command("curate", folder, *RULE, *how), cwd=room, home=room / "home")
    with way(folder, place) as there:
        if not there:
            arena.skip("folders", name, "this system does not let us mount")
            return
        ended = apart(command("undo", place, "--yes"), cwd=room, home=room / "home")
    wrong = changes(before, tree(folder), "the folder", facts=False)
    if name == "a renamed folder" and "--symlink" in how:
        wrong = [line for line in wrong if "is gone" in line]
    arena.note("folders", name, f"{' '.join(how)}, undo", wrong, ended)


def _last_copies(arena: Arena, pattern: Path, how: tuple[str, ...]) -> None:
    """The originals are gone, and what was made of them shows in their place: undo must not take it for two."""
    for name, way in (("linked", linked), ("mounted", mounted)):
        room = arena.room()
        folder, best, rest = room / "folder", room / "best", room / "rest"
        shutil.copytree(pattern, folder)
        where = ("--kept", best, "--rejected", rest)
        apart(command("curate", folder, *RULE, *how, *where), cwd=room, home=room / "home")
        made = best / "2024-05-01" if (best / "2024-05-01").is_dir() else rest / "2024-05-01"
        day = folder / "2024-05-01"
        shutil.rmtree(day)
        if way is mounted:
            day.mkdir()
        with way(made, day) as there:
            if not there:
                arena.skip("folders", f"last copies, {name}", "this system does not let us mount")
                continue
            files = set(contents(tree(made)).values())
            ended = apart(command("undo", folder, "--yes"), cwd=room, home=room / "home")
            lost = files - set(contents(tree(made)).values()) - set(contents(tree(folder)).values())
        if "--symlink" in how or "--write-back" in how:
            lost = (
                set()
            )  # the links are all that was made; what was written into the copies is taken out of them
        wrong = [f"{len(lost)} last copies are gone"] if lost else []
        arena.note("folders", f"last copies, {name}", f"{' '.join(how)}, undo", wrong, ended)


def _two_stores(arena: Arena, pattern: Path, number: int) -> None:
    """Two commands with stores of their own move the same pictures at the same time."""
    room = arena.room()
    folder = room / "folder"
    shutil.copytree(pattern, folder)
    before = tree(folder)
    stores = [("--store", room / "one"), ("--store", room / "two") if number % 2 else ()]
    works = [command("curate", folder, *RULE, "--move", "--write-back", *store) for store in stores]
    ended = apart(both(*works), cwd=room, home=room / "home")
    there = [
        path for path in folder.rglob("*.*") if path.suffix in (".png", ".jpg", ".webp") and path.is_file()
    ]
    wrong = [] if len(there) == 8 + 2 else [f"{len(there)} pictures and broken files; expected 10"]
    arena.note("folders", "two stores at once", "curate --move --write-back", wrong, ended)
    for store in reversed(stores * 2):
        ended = apart(command("undo", folder, "--yes", *store), cwd=room, home=room / "home")
    wrong = changes(before, tree(folder), "the folder")
    arena.note("folders", "two stores at once", "undo of both", wrong, ended)


def _one_store(arena: Arena, pattern: Path) -> None:
    """Two folders with one store, of which the one that acted last is on a drive that is away."""
    room = arena.room()
    here, drive = room / "here", room / "usb"
    other = drive / "other"
    for folder in (here, other):
        shutil.copytree(pattern, folder)
    before, store = tree(here), ("--store", room / "store")
    for folder in (here, other):
        apart(command("curate", folder, *RULE, "--move", *store), cwd=room, home=room / "home")
    after = tree(other)
    drive.rename(room / "away")
    ended = apart(command("undo", here, "--yes", *store), cwd=room, home=room / "home")
    wrong = changes(before, tree(here), "the folder") + changes(
        after, tree(room / "away" / "other"), "the drive"
    )
    arena.note("folders", "one store, a drive that is away", "undo", wrong, ended)


def _hard_links(arena: Arena, pattern: Path) -> None:
    """A backup that shares every file with the original, its store as well."""
    room = arena.room()
    folder, backup = room / "folder", room / "backup"
    shutil.copytree(pattern, folder)
    before = tree(folder)
    apart(command("curate", folder, *RULE, "--move"), cwd=room, home=room / "home")
    after = tree(folder)
    shutil.copytree(folder, backup, symlinks=True, copy_function=os.link)
    ended = apart(command("undo", backup, "--yes"), cwd=room, home=room / "home")
    arena.note(
        "folders", "a backup of hard links", "undo", changes(after, tree(folder), "the original"), ended
    )
    shutil.rmtree(backup)
    ended = apart(command("undo", folder, "--yes"), cwd=room, home=room / "home")
    arena.note("folders", "its original", "undo", changes(before, tree(folder), "the original"), ended)


def both(first: Work, second: Work) -> Work:
    """Two things at the same time, in two processes; the worse of their exit codes."""

    def work() -> int:
        child = os.fork()
        code = (first if child else second)() or 0
        sys.stdout.flush()
        sys.stderr.flush()
        if not child:
            os._exit(code)
        _, status = os.waitpid(child, 0)
        return max(code, os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)

    return work
