"""Options that name a file to write, on files that are somebody's: pictures, documents, links to them, files that are read-only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ..kill_folder import make_folder
from ..killing import tree
from .arena import Arena, apart, changes, command

RULE = ("-s", "demo", "--top", "2", "--offline")
OPTIONS = {
    "rank --html": ("rank", *RULE, "--html"),
    "rank --html, every picture": ("rank", *RULE, "--html"),
    "rank -o": ("rank", *RULE, "-o"),
    "score -o": ("score", "-s", "demo", "--offline", "-o"),
    "curate --html": ("curate", *RULE, "--dry-run", "--html"),
    **{f"report --{form}": ("report", f"--{form}") for form in ("html", "csv", "json", "jsonl", "parquet")},
}


def _picture(place: Path) -> Path:
    target = place / "mine.png"
    Image.new("RGB", (8, 8), "red").save(target)
    return target


def _picture_by_another_name(place: Path) -> Path:
    target = place / "mine.html"
    Image.new("RGB", (8, 8), "red").save(target, format="PNG")
    return target


def _link_to_a_picture(place: Path) -> Path:
    target = place / "page.html"
    target.symlink_to(_picture(place))
    return target


def _document(place: Path) -> Path:
    target = place / "notes.html"
    target.write_text("<!doctype html><title>mine</title>", encoding="utf-8")
    return target


def _link_to_a_document(place: Path) -> Path:
    target = place / "page.html"
    target.symlink_to(_document(place))
    return target


def _archive(place: Path) -> Path:
    target = place / "mine.csv"
    target.write_bytes(b"PK\x03\x04" + bytes(100))
    return target


def _folder(place: Path) -> Path:
    target = place / "page.html"
    target.mkdir()
    return target


TARGETS: dict[str, tuple[Callable[[Path], Path], bool]] = {
    "a picture": (_picture, True),
    "a picture named mine.html": (_picture_by_another_name, True),
    "a link to a picture": (_link_to_a_picture, True),
    "a document": (_document, False),
    "a link to a document": (_link_to_a_document, False),
    "an archive": (_archive, False),
    "a folder": (_folder, True),
}
"""What lies where a result is to be written, and whether ``--overwrite`` must not help either."""


def play(arena: Arena) -> None:
    """Every option on everything, also with ``--overwrite`` where that must not help; and what is to be written to."""
    room = arena.room()
    pictures = make_folder(room / "pictures", 6, 5)
    apart(command("curate", pictures, *RULE, "--copy", "--yes"), cwd=room, home=room / "home")
    for name, (make, never) in TARGETS.items():
        for way, words in OPTIONS.items():
            for overwrite in ((), ("--overwrite",)) if never and words[0] != "curate" else ((),):
                place = arena.room()
                target = make(place)
                before = tree(place), tree(pictures)
                given = ["--overwrite", *words[1:], target] if overwrite else [*words[1:], target]
                more = sorted(pictures.glob("*.png")) if "every" in way else [pictures]
                folder = [pictures] if words[0] in ("report", "curate") else []
                ended = apart(
                    command(words[0], *folder, *given, *([] if folder else more)),
                    cwd=place,
                    home=place / "home",
                )
                wrong = [
                    *changes(before[0], tree(place), "the place"),
                    *changes(before[1], tree(pictures), "the pictures"),
                ]
                if ended.code == 0:
                    wrong.append("it ended as if it had written something")
                if target.name not in ended.said:
                    wrong.append("the message does not name the file")
                arena.note("outputs", name, " ".join((way, *overwrite)), wrong, ended)
    _what_is_written_to(arena, pictures)


def _what_is_written_to(arena: Arena, pictures: Path) -> None:
    """A device stays one; a page of our own is replaced, through a link as well, and keeps its permissions."""
    for way in ("rank --html", "rank -o", "score -o"):
        words = OPTIONS[way]
        place = arena.room()
        ended = apart(command(*words, os.devnull, pictures), cwd=place, home=place / "home")
        stays = Path(os.devnull).is_char_device()
        arena.note(
            "outputs",
            "a device",
            way,
            [] if stays and ended.code in (0, 1) else ["it is no device now"],
            ended,
        )
        page = place / "mine"
        for number in range(2):
            ended = apart(command(*words, page, pictures), cwd=place, home=place / "home")
            wrong = (
                [] if ended.code in (0, 1) else [f"the file of our own was not written: {ended.said[-200:]}"]
            )
            if number:
                wrong += (
                    []
                    if page.is_symlink() and (place / "real").stat().st_mode & 0o777 == 0o640
                    else ["link or mode is lost"]
                )
                arena.note("outputs", "a link to a result of our own", way, wrong, ended)
            else:
                arena.note("outputs", "nothing", way, wrong, ended)
                shutil.move(page, place / "real")
                (place / "real").chmod(0o640)
                page.symlink_to(place / "real")
