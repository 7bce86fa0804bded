"""Journals of a stranger's making, with every command and the ComfyUI node that look or act."""

from __future__ import annotations

from pathlib import Path

from ..killing import Entry, tree
from .arena import Arena, apart, changes, command, stores
from .comfyui import Host
from .tricks import PICTURE, TRICKS

RULE = ("-s", "demo", "--top", "1", "--offline")
LOOKING = {
    "curate --dry-run": lambda folder: command("curate", folder, *RULE, "--dry-run"),
    "undo --list": lambda folder: command("undo", folder, "--list"),
    "undo --dry-run": lambda folder: command("undo", folder, "--dry-run"),
    "report": lambda folder: command("report", folder),
    "stars": lambda folder: command("stars", folder),
    "watch --dry-run": lambda folder: command("watch", folder, *RULE, "--dry-run"),
}
ACTING = {
    "curate --move": lambda folder: command("curate", folder, *RULE, "--move", "--yes"),
    "undo": lambda folder: command("undo", folder, "--yes"),
    "undo --run 1": lambda folder: command("undo", folder, "--run", "1", "--yes"),
    "watch --move": lambda folder: command(
        "watch", folder, *RULE, "--move", "--yes", "--poll", "0.2", "--settle", "0.1"
    ),
}
NODE = {
    "ComfyUI, preview": "preview",
    "ComfyUI, carry out": "carry out",
    "ComfyUI, undo": "take back the last run",
}


def play(arena: Arena) -> None:
    """Every trick with everything that looks, then, in fresh folders, with everything that acts."""
    for name in TRICKS:
        folder, outside, home = _set_up(arena, name)
        before = _everything(folder), _everything(outside), _journal(folder)
        for way, work in LOOKING.items():
            ended = apart(work(folder), cwd=outside, home=home)
            wrong = _wrong(before[0], folder, before[1], outside)
            if _journal(folder) != before[2]:
                wrong.append("the journal is another one after a look")
            arena.note("strangers", name, way, wrong, ended)
        for way, work in ACTING.items():
            folder, outside, home = _set_up(arena, name)
            before = _everything(folder), _everything(outside), {}
            until = "Watching" if way.startswith("watch") else ""
            ended = apart(work(folder), cwd=outside, home=home, until=until)
            arena.note("strangers", name, way, _wrong(before[0], folder, before[1], outside), ended)


def play_node(arena: Arena) -> None:
    """Every trick in the output folder of a host, with the node in all its modes."""
    host = Host(arena.room())
    for name in TRICKS:
        for way, mode in NODE.items():
            room = arena.room()
            folder, outside = room / "output", room / "outside"
            TRICKS[name](folder, outside)
            before, journal = (_everything(folder), _everything(outside)), _journal(folder)
            ended = apart(host.curate(room, mode), cwd=outside, home=room / "home")
            wrong = _wrong(before[0], folder, before[1], outside)
            if mode == "preview" and _journal(folder) != journal:
                wrong.append("the journal is another one after a preview")
            arena.note("strangers", name, way, wrong, ended)


def _set_up(arena: Arena, name: str) -> tuple[Path, Path, Path]:
    room = arena.room()
    TRICKS[name](room / "folder", room / "outside")
    return room / "folder", room / "outside", room / "home"


def _everything(folder: Path) -> dict[str, Entry]:
    """All but a copy of the picture beside it, which may be taken back like any other."""
    return {
        name: entry
        for name, entry in tree(folder).items()
        if (name, entry.content) != ("kept/a.png", PICTURE)
    }


def _journal(folder: Path) -> dict[str, bytes]:
    """What lies in the store but the library, into which a dry run notes scores."""
    return {name: data for name, data in stores(folder).items() if name == "journal.sqlite3"}


def _wrong(inside: dict[str, Entry], folder: Path, around: dict[str, Entry], outside: Path) -> list[str]:
    return [
        *changes(inside, _everything(folder), "in the folder", facts=False),
        *changes(around, _everything(outside), "outside"),
    ]
