"""Full disks: a small file system in memory, and a limit on the size of a file, while commands write and while a picture is saved."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from imagereward_core.library.journal import open_journal

from ..kill_folder import make_folder
from ..killing import contents, hidden, tree
from .arena import Arena, Ended, Work, apart, changes, command
from .comfyui import Host

RULE = ("-s", "demo", "--top", "2", "--offline", "--yes")
FREE_KIB = (0, 24, 60, 90, 120, 160, 220, 300, 400)
FILE_KIB = (4, 64, 200, 260)
MUCH = 64 * 1024 * 1024
WAYS = {
    "curate --copy": lambda disk: command("curate", disk / "folder", *RULE, "--copy"),
    "curate --move --write-back --xmp": lambda disk: command(
        "curate", disk / "folder", *RULE, "--move", "--write-back", "--xmp"
    ),
    "curate --stay --write-back --xmp": lambda disk: command(
        "curate", disk / "folder", *RULE, "--stay", "--write-back", "--xmp"
    ),
    "rank --html": lambda disk: command("rank", "-s", "demo", "--html", disk / "page.html", disk / "folder"),
    "score -o": lambda disk: command("score", "-s", "demo", "-o", disk / "scores.csv", disk / "folder"),
    "report --csv": lambda disk: command("report", disk / "folder", "--csv", disk / "rows.csv"),
    "stars --set": lambda disk: command("stars", disk / "folder", "--set", "3", "00000.png"),
    "undo": lambda disk: command("undo", disk / "folder", "--yes"),
}


def play(arena: Arena) -> None:
    """Everything that writes, on disks with less and less room; then there is room, and it is undone."""
    pattern = make_folder(arena.room() / "pattern", 8, 13)
    for way, make in WAYS.items():
        for free in FREE_KIB:
            room = arena.room()
            with small_disk(room / "disk") as disk:
                if disk is None:
                    arena.skip("full disks", "a small disk", "this system does not let us mount one")
                    break
                _on_disk(arena, pattern, disk, way, make(disk), free)
        for size in FILE_KIB:
            room = arena.room()
            shutil.copytree(pattern, room / "disk" / "folder")
            _with_limit(arena, room / "disk", way, make(room / "disk"), size * 1024)
    _saving(arena)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A folder as a disk of its own; None where nothing may be mounted."""
    folder.mkdir()
    mounted = _mount(folder, MUCH)
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


def _mount(folder: Path, size: int, again: bool = False) -> bool:
    options = f"{'remount,' if again else ''}size={size}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True
    )
    return done.returncode == 0


def _on_disk(arena: Arena, pattern: Path, disk: Path, way: str, work: Work, free: int) -> None:
    folder, home = disk / "folder", disk.parent / "home"
    shutil.copytree(pattern, folder)
    before = tree(folder)
    _prepare(way, folder, home)
    facts = os.statvfs(disk)
    used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
    _mount(disk, used + free * 1024, again=True)
    ended = apart(work, cwd=disk.parent, home=home)
    wrong = [*_not_whole(disk), *_said(ended, disk)]
    _mount(disk, MUCH, again=True)
    wrong += _taken_back(disk, home, before)
    arena.note("full disks", f"{free} KiB free", way, wrong, ended)


def _with_limit(arena: Arena, disk: Path, way: str, work: Work, most: int) -> None:
    folder, home = disk / "folder", disk.parent / "home"
    before = tree(folder)
    _prepare(way, folder, home)

    def limits() -> None:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    ended = apart(work, cwd=disk.parent, home=home, limits=limits)
    wrong = [*_not_whole(disk), *_said(ended, disk, "too large")]
    wrong += _taken_back(disk, home, before)
    arena.note("full disks", f"files of {most // 1024} KiB at most", way, wrong, ended)


def _prepare(way: str, folder: Path, home: Path) -> None:
    """A run to be undone or reported; for others only a store with room for little, since without one little begins."""
    more = ("--move", "--write-back") if way.startswith(("undo", "report", "stars")) else ("--dry-run",)
    rule = RULE if "--move" in more else RULE[:-1]
    apart(command("curate", folder, *rule, *more), cwd=folder.parent, home=home)
    open_journal(folder / ".imagereward").close()


def _not_whole(disk: Path) -> list[str]:
    """Visible files that are no whole ones."""
    wrong = []
    for name, entry in tree(disk).items():
        if (
            entry.kind != "file"
            or name in hidden({name: entry})
            or Path(name).stem in ("broken", "not a picture")
        ):
            continue
        if not entry.content:
            wrong.append(f"{name} is empty")
        elif Path(name).suffix in (".png", ".jpg", ".webp"):
            try:
                with Image.open(disk / name) as image:
                    image.load()
            except OSError as error:
                wrong.append(f"{name} is damaged: {error}")
        elif name.endswith(".html") and not entry.content.rstrip().endswith(b"</html>"):
            wrong.append(f"{name} is cut off")
    return wrong


def _said(ended: Ended, disk: Path, words: str = "full") -> list[str]:
    """Whether a failure names what is the matter, and where."""
    if ended.code == 0 or (ended.code == 1 and words not in ended.said):
        return []
    if str(disk) in ended.said or "sqlite3" in ended.said:
        return []
    return [f"no path in what it says: {ended.said[-200:]}"]


def _taken_back(disk: Path, home: Path, before: dict) -> list[str]:
    """With room again: what was begun is settled, and all of it can be undone."""
    folder = disk / "folder"
    for more in ((), (), ("--run", "1")):  # the last gives up what was only planned
        apart(command("undo", folder, "--yes", *more), cwd=disk.parent, home=home)
    now = tree(folder)
    lost = set(contents(before).values()) - set(contents(now).values())
    wrong = (
        [f"{len(lost)} files are not as they were"]
        if lost
        else changes(before, now, "after undo", facts=False)
    )
    return wrong


def _saving(arena: Arena) -> None:
    """*Save Scored Images* of ComfyUI."""
    host = Host(arena.room())
    for free in (0, 4, 8, 16, 32):
        room = arena.room()
        with small_disk(room / "output") as disk:
            if disk is None:
                arena.skip(
                    "full disks", "Save Scored Images", "this system does not let us mount a small disk"
                )
                return
            _mount(disk, max(4, free) * 1024, again=True)
            ended = apart(host.save(room), cwd=room, home=room / "home")
            wrong = _not_whole(disk)
            if ended.code == 0:
                wrong.append("it says that all was saved")
            if not {"No space left", str(disk)} <= {
                words for words in ("No space left", str(disk)) if words in ended.said
            }:
                wrong.append(f"what it says lacks the reason or the place: {ended.said[-300:]}")
            left = [path.name for path in disk.rglob("*") if path.is_file() and path.suffix not in (".png",)]
            wrong += [f"left behind: {left}"] if left else []
            arena.note("full disks", f"{max(4, free)} KiB in all", "Save Scored Images", wrong, ended)
