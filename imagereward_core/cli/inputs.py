"""Pictures named on a command line: files, folders, patterns, or a list on stdin."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from ..files.regular import is_folder
from ..images.suffixes import is_picture_name, is_preview_name
from .exits import UsageError

# What commonly lies beside pictures, so that "folder/*" written out by a shell does not give failures.
_COMPANION_SUFFIXES = frozenset(
    (
        ".txt",
        ".json",
        ".jsonl",
        ".csv",
        ".caption",
        ".xmp",
        ".html",
        ".htm",
        ".md",
        ".yaml",
        ".yml",
        ".ini",
        ".db",
        ".log",
    )
)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Input:
    """One picture to score.

    Attributes:
        path: The file.
        problem: Why there is no such picture; empty where it seems to be there.
    """

    path: Path
    problem: str = ""

    @property
    def name(self) -> str:
        """Its name in results: the path as it was given."""
        return str(self.path)


@dataclass(frozen=True)
class Inputs:
    """What was found.

    Attributes:
        pictures: In the order given, folders in natural order, each file once.
        passed_over: Files named that are known to be something else, such as the text files beside pictures.
    """

    pictures: tuple[Input, ...]
    passed_over: int = 0


def find_pictures(arguments: Sequence[str], recursive: bool, stdin: TextIO) -> Inputs:
    """The pictures that ``arguments`` name; ``-`` reads more arguments from ``stdin``, one per line or NUL-separated.

    A name that fits nothing becomes an input with a problem, so that one wrong name does not stop the others.

    Raises:
        UsageError: Not a single picture was found.
    """
    found: dict[str, Input] = {}
    passed_over = 0
    for argument in _with_stdin(arguments, stdin):
        for each in _expand(argument, recursive):
            if not each.problem and _lies_beside(each.path):
                passed_over += 1
            else:
                found.setdefault(_identity(each.path), each)
    if all(each.problem for each in found.values()):
        raise UsageError(_nothing(arguments, list(found.values()), recursive))
    return Inputs(tuple(found.values()), passed_over)


def _lies_beside(path: Path) -> bool:
    return path.suffix.lower() in _COMPANION_SUFFIXES or is_preview_name(path.name)


def _identity(path: Path) -> str:
    """The same for two ways to write one path; links keep their own, since texts may lie beside them."""
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


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
        yield from (
            line for line in (text.split("\0") if "\0" in text else text.splitlines()) if line.strip()
        )


def _expand(argument: str, recursive: bool) -> Iterator[Input]:
    path = Path(argument).expanduser()
    try:
        if is_folder(path):
            yield from _folder(path, recursive)
        elif os.path.lexists(path) or not glob.has_magic(
            argument
        ):  # "[5] cat.png" is a name before it is a pattern
            there = os.path.lexists(
                path
            )  # what is wrong with a link or a pipe is said where it would be read
            yield Input(
                path, "" if there else f"{path}: no such file or folder; expected a picture. Check the path."
            )
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
        folders[:] = (
            sorted((name for name in folders if not name.startswith(".")), key=natural_key)
            if recursive
            else []
        )
        for name in sorted(names, key=natural_key):
            if is_picture_name(name):
                yield Input(Path(where) / name)
    yield from problems


def _nothing(arguments: Sequence[str], problems: Iterable[Input], recursive: bool) -> str:
    if not arguments:
        return "no pictures were named; expected files, folders or patterns"
    reasons = [replace(each, problem=each.problem.rstrip(".")).problem for each in problems]
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"no picture was found: {reasons[0]}{more}"
    hint = "" if recursive else ". To look into subfolders as well, add --recursive"
    return f"no picture was found in {', '.join(arguments[:3])}; expected files such as .png, .jpg or .webp{hint}"
