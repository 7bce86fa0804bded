"""Links in a folder that lead out of it, with commands that write; and whole pictures in it, none of which may be lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..kill_folder import make_folder
from ..killing import contents, tree
from .arena import Arena, apart, changes, command

RULE = ("-s", "demo", "--top", "2", "--offline", "--yes")
WAYS = {
    "curate --copy": ("--copy",),
    "curate --move": ("--move",),
    "curate --link --write-back": ("--link", "--write-back"),
    "curate --move --write-back --xmp": ("--move", "--write-back", "--xmp"),
    "curate --stay --write-back --xmp": ("--stay", "--write-back", "--xmp"),
}


def _kept(folder: Path, outside: Path) -> None:
    for name in ("kept", "rejected"):
        (folder / name).symlink_to(outside, target_is_directory=True)


def _inside_kept(folder: Path, outside: Path) -> None:
    for name in ("kept", "rejected"):
        (folder / name).mkdir()
        (folder / name / "2024-05-01").symlink_to(outside, target_is_directory=True)


def _texts(folder: Path, outside: Path) -> None:
    for picture in folder.rglob("*.*"):
        if picture.suffix in (".png", ".jpg", ".webp"):
            for name in (
                picture.with_suffix(".xmp"),
                picture.with_name(f"{picture.name}.xmp"),
                picture.with_suffix(".txt"),
            ):
                name.unlink(missing_ok=True)
                name.symlink_to(outside / "letter.txt")


def _new_texts(folder: Path, outside: Path) -> None:
    for picture in folder.rglob("*.png"):
        for name in (picture.with_suffix(".xmp"), picture.with_name(f"{picture.name}.xmp")):
            name.unlink(missing_ok=True)
            name.symlink_to(outside / f"{picture.stem}.new")


def _pictures(folder: Path, outside: Path) -> None:
    for picture in [*folder.rglob("*.png"), *folder.rglob("*.jpg")]:
        picture.rename(outside / picture.name)
        picture.symlink_to(outside / picture.name)


LINKS: dict[str, Callable[[Path, Path], None]] = {
    "folders for kept and rejected": _kept,
    "a folder in them": _inside_kept,
    "texts beside pictures": _texts,
    "texts that are not there yet": _new_texts,
    "pictures": _pictures,
}


def play(arena: Arena) -> None:
    """Every kind of link with everything that writes, and undone."""
    pattern = make_folder(arena.room() / "pattern", 8, 7)
    for name, link in LINKS.items():
        for way, options in WAYS.items():
            room = arena.room()
            folder, outside = room / "folder", room / "outside"
            shutil.copytree(pattern, folder)
            outside.mkdir()
            (outside / "letter.txt").write_text("dear all", encoding="utf-8")
            link(folder, outside)
            around, inside = tree(outside), set(contents(tree(folder)).values())
            ended = apart(command("curate", folder, *RULE, *options), cwd=outside, home=room / "home")
            wrong = changes(around, tree(outside), "outside")
            if any(
                b"dear all" in path.read_bytes() and not path.is_symlink() for path in folder.rglob("*.txt")
            ):
                wrong.append("a document of outside was copied into the folder")
            arena.note("links", name, way, wrong, ended)
            ended = apart(command("undo", folder, "--yes"), cwd=outside, home=room / "home")
            wrong = changes(around, tree(outside), "outside")
            lost = inside - set(contents(tree(folder)).values())
            wrong += [f"{len(lost)} files of the folder are not as they were after undo"] if lost else []
            arena.note("links", name, f"{way}, undo", wrong, ended)
