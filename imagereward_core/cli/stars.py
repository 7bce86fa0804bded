"""``imagereward stars``: lists, gives and imports the stars of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..plain import count_of
from .console import Console
from .curate_options import add_place, find_store, opened, place_of, settle_origin
from .exits import DONE, SOME_FAILED, UsageError
from .options import Commands, add_command, add_talk

if TYPE_CHECKING:
    from ..library.library import Library

_EXAMPLES = """\
examples:
  imagereward stars outputs                          list the pictures you gave stars
  imagereward stars outputs --set 4 a.png b.png      give two pictures four stars
  imagereward stars outputs --set none a.png         take them away
  imagereward stars outputs --import                 take over what Lightroom, digiKam, darktable or Windows wrote
"""
_TO_HAVE_SOME = "--set N FILES gives some, --import takes over what other programs wrote."


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "stars",
        run,
        help="list, give or import the stars of pictures",
        description=(
            "Lists the stars you gave the pictures of a folder, gives some, or reads those that other programs wrote into XMP files beside "
            "the pictures or into the pictures. Stars are kept in the store; no picture and no XMP file is changed."
        ),
        notes=_EXAMPLES,
    )
    add_place(parser, finding=True)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--set",
        nargs="+",
        metavar=("N", "FILES"),
        help="give FILES 0 to 5 stars; 'none' takes them away. A name is looked for here, then in OUTPUTS",
    )
    which.add_argument(
        "--import",
        dest="take_over",
        action="store_true",
        help="read the stars that other programs wrote. Stars that are in the store already stay; where both differ it is told",
    )
    add_talk(parser)


def run(args: argparse.Namespace) -> int:
    """Does what was asked for; returns the exit code."""
    from ..library.library import FILE_NAME

    console = Console(args.quiet)
    root = args.outputs.expanduser().absolute()
    find_store(args, console)
    if args.set or args.take_over:
        stars, files = _wish(args.set) if args.set else (None, [])
        with opened(args, console, acting=False, noting=True) as library:
            library.scan([root], None)
            if args.set:
                return _give(library, console, root, files, stars)
            return _take_over(library, console, root)
    if args.store is None and not (place_of(args) / FILE_NAME).is_file():
        console.say(f"{_have(0)} stars: nothing is stored about {args.outputs} yet. {_TO_HAVE_SOME}")
        return DONE
    with opened(args, console, make=False, acting=False) as library:
        settle_origin(args, library, console)
        _list(library, console, root)
    return DONE


def _wish(words: list[str]) -> tuple[int | None, list[str]]:
    if words[0] not in ("none", "0", "1", "2", "3", "4", "5"):
        raise UsageError(f"--set {words[0]}: expected 0 to 5, or none, before the files")
    if len(words) == 1:
        raise UsageError(f"--set {words[0]}: expected the files that get the stars behind it")
    return None if words[0] == "none" else int(words[0]), words[1:]


def _give(library: Library, console: Console, root: Path, files: list[str], stars: int | None) -> int:
    failed = 0
    for name in files:
        here = Path(name).expanduser().absolute()
        try:
            library.set_stars(here if here.exists() else root / name, stars)
        except LookupError as error:
            failed += 1
            console.complain(f"not given: {error}")
    console.say(
        f"{_have(len(files) - failed)} {'no stars' if stars is None else count_of(stars, 'star')} now."
    )
    return SOME_FAILED if failed else DONE


def _take_over(library: Library, console: Console, root: Path) -> int:
    from ..library.store.records import Query
    from ..metadata.stars import given_stars

    taken = 0
    known: dict[str, int] = {}
    for row in list(library.rows(Query(folder=root))):
        found = given_stars(row.path) if row.content else None
        if found is None:
            continue
        stars = known.get(row.content, row.stars)
        if stars is None:
            library.set_stars(row.path, found)
            known[row.content] = found
            taken += 1
        elif stars != found:
            console.complain(f"kept: {row.path}: the library has {stars} stars, the file says {found}")
    console.say(f"{_have(taken)} stars from other programs now.")
    return DONE


def _list(library: Library, console: Console, root: Path) -> None:
    from ..files.values import shown_name
    from ..library.curate.candidates import apart
    from ..library.curate.options import CurateOptions
    from ..library.store.records import Query
    from .output.write import put

    rows = [row for row in library.rows(Query(folder=root)) if row.stars is not None]
    destinations = CurateOptions().destinations(root)
    judged = apart(library, rows, [destinations.home(row.path) for row in rows]).judged
    lines = [f"{rows[index].stars}  {shown_name(rows[index].path, root)}" for index in judged]
    if lines:
        put("\n".join(lines) + "\n", None, data=False)
    console.say(f"{_have(len(lines))} stars.{'' if lines else f' {_TO_HAVE_SOME}'}")


def _have(number: int) -> str:
    return f"{count_of(number, 'picture')} {'has' if number == 1 else 'have'}"
