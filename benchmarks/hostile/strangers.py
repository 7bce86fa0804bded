"""Journals of a stranger's making, with every command and the ComfyUI node that look or act."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from ..killing import Entry, tree
from .arena import Arena, Work, apart, changes, command, stores
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
    host.curate(arena.room(), "preview")()  # loads what it needs
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


class Host:
    """An imitated ComfyUI with the node pack in it.

    Args:
        base: A folder for it, until a graph is run in another one.
    """

    def __init__(self, base: Path) -> None:
        import pytest

        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "nodes"))
        self.patch = pytest.MonkeyPatch()
        self.graphs = importlib.import_module("graphs")
        self.host = importlib.import_module("fake_host").FakeHost(self.patch, base)

    def curate(self, base: Path, mode: str, **inputs: object) -> Work:
        """The node *Curate Folder* in a host whose folders lie in ``base``."""

        def work() -> int:
            paths = sys.modules["folder_paths"]
            self.patch.setattr(paths, "get_output_directory", lambda: str(base / "output"))
            self.patch.setattr(paths, "get_user_directory", lambda: str(base / "user"), raising=False)
            graph = self.graphs.Graph()
            given = {
                "mode": mode, "where": "output", "folder": "", "subfolders": True, "top_k": 1, "top_percent": 100.0,
                "min_score": -1000.0, "min_percentile": 0.0, "keep_at_least": 0, "per": "all pictures", "unique": False,
                "action": "move", "kept_folder": "kept", "rejected_folder": "rejected", "rejected": "put apart",
                "write_scores": False, **inputs,
            }  # fmt: skip
            node = graph.add("CurateFolder", scorer=[graph.load(), 0], **given)
            probe = graph.show(node, 4)
            ran = self.host.run(graph)
            print(
                ran.status, ran.kind, ran.error, self.graphs.shown(ran, probe) if probe in ran.outputs else ""
            )
            return 0 if ran.status == "success" else 4

        return work


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
