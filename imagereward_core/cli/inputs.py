"""Pictures named on a command line: files, folders, patterns, or a list on stdin."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..files.regular import is_folder
from ..images.suffixes import is_picture_name, is_preview_name
from .exits import UsageError

# What commonly lies beside pictures, so that "folder/*" written out by a shell does not give failures.
_COMPANION_SUFFIXES = frozenset(
    ".txt .json .jsonl .csv .caption .xmp .html .htm .md .yaml .yml .ini .db .log".split()
)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Input:
    """One picture to score, or why there is none: ``problem`` is empty where it seems to be there."""

    path: Path
    problem: str = ""

    @property
    def name(self) -> str:
        """Its name in results: the path as it was given."""
        return str(self.path)


@dataclass(frozen=True)
class Inputs:
    """The pictures found, in the order given, folders in natural order, each file once.

    ``passed_over`` counts files that are known to be something else, such as the text files beside pictures.
    """

    pictures: tuple[Input, ...]
    passed_over: int = 0


def find_pictures(arguments: Sequence[str], recursive: bool, stdin: TextIO) -> Inputs:
    """The pictures that ``arguments`` name; ``-`` reads more arguments from ``stdin``, one per line or NUL-separated.

    A name that fits nothing becomes an input with a problem, so that one wrong name does not stop the others; UsageError where not a
    single picture was found.
    """
    found: dict[str, Input] = {}
    passed_over = 0
    for argument in _with_stdin(arguments, stdin):
        for each in _expand(argument, recursive):
            path = each.path
            beside = path.suffix.lower() in _COMPANION_SUFFIXES or is_preview_name(path.name)
            if beside and not each.problem:
                passed_over += 1
            else:  # Path.resolve would follow links, which keep their own names, since texts may lie beside them
                found.setdefault(os.path.normcase(os.path.abspath(path)), each)  # noqa: PTH100
    if all(each.problem for each in found.values()):
        raise UsageError(_nothing(arguments, list(found.values()), recursive))
    return Inputs(tuple(found.values()), passed_over)


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts ``2.png`` before ``10.png`` and ignores letter case."""
    parts: list[str | int] = [*_DIGITS.split(name.casefold())]
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, name


def _with_stdin(arguments: Sequence[str], stdin: TextIO) -> Iterator[str]:
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        text = stdin.read()
        lines = text.split("\0") if "\0" in text else text.splitlines()
        yield from (line for line in lines if line.strip())


def _expand(argument: str, recursive: bool) -> Iterator[Input]:
    path = Path(argument).expanduser()
    try:
        if is_folder(path):
            yield from _folder(path, recursive)
        elif os.path.lexists(path):  # "[5] cat.png" is a name before it is a pattern
            yield Input(path)  # what is wrong with a link or a pipe is said where it would be read
        elif not glob.has_magic(argument):
            yield Input(path, f"{path}: no such file or folder; expected a picture. Check the path.")
        else:
            yield from _pattern(str(path), recursive)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        yield Input(path, f"{argument!r} cannot be looked up ({error}); expected the path of a picture.")


def _pattern(pattern: str, recursive: bool) -> Iterator[Input]:
    names = sorted(glob.glob(pattern, recursive=True), key=natural_key)  # noqa: PTH207 - may be absolute
    if not names:
        yield Input(Path(pattern), f"{pattern}: no file fits this pattern.")
    for name in names:
        path = Path(name)
        if is_folder(path):
            if "**" not in pattern:
                yield from _folder(path, recursive)
        elif is_picture_name(path.name):
            yield Input(path)


def _folder(folder: Path, recursive: bool) -> Iterator[Input]:
    """Pictures of a folder, those of its subfolders after its own; hidden ones are left out."""
    problems: list[Input] = []

    def note(error: OSError) -> None:
        where = Path(str(error.filename or folder))
        problems.append(Input(where, f"{where}: the folder cannot be read ({error.strerror})."))

    for where, folders, names in os.walk(folder, onerror=note):
        seen = [name for name in folders if recursive and not name.startswith(".")]
        folders[:] = sorted(seen, key=natural_key)
        for name in sorted(names, key=natural_key):
            if is_picture_name(name):
                yield Input(Path(where) / name)
    yield from problems


def _nothing(arguments: Sequence[str], problems: Iterable[Input], recursive: bool) -> str:
    if not arguments:
        return "no pictures were named; expected files, folders or patterns"
    reasons = [each.problem.rstrip(".") for each in problems]
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"no picture was found: {reasons[0]}{more}"
    hint = "" if recursive else ". To look into subfolders as well, add --recursive"
    return f"no picture was found in {', '.join(arguments[:3])}; expected files such as .png, .jpg or .webp{hint}"
