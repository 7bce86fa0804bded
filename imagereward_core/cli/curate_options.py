"""Options that ``curate``, ``undo`` and ``watch`` share, and the library of a folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.command_words import shell_word
from ..library.curate.buckets import REJECTED, BucketError, Buckets
from ..library.curate.options import DISTANCE, KEPT, MOST_DISTANCE, CurateOptions, CurationRule
from ..library.scan.options import ScanOptions
from ..settings import settings_of
from .arguments import add_setting
from .console import Console
from .exits import UsageError
from .options import add_prompts, add_scorer, add_weights, data_folder
from .rank import add_conditions, rule_of
from .scorers import check_percentiles

if TYPE_CHECKING:
    from ..library.library import Library
    from ..selection import Rule

_ACTIONS = (
    (
        "copy",
        "copy",
        "copy pictures into the folders kept and rejected (the default; originals stay as they are)",
    ),
    ("link", "hardlink", "hard-link them: no disk space is used, both names are the same file"),
    ("symlink", "symlink", "make symbolic links to them"),
    ("move", "move", "move them"),
    ("stay", "stay", "leave all pictures where they are; for --write-back and --xmp alone"),
)
_FOLDERS = (KEPT, REJECTED)


def add_place(parser: argparse.ArgumentParser, *, finding: bool = False) -> None:
    """The folder, and where its store is; with ``finding`` for commands that use :func:`find_store`."""
    parser.add_argument("outputs", type=Path, metavar="OUTPUTS", help="the folder with the pictures")
    otherwise = (
        "; where nothing is judged there, that of the WebUI's tab, if it knows the pictures"
        if finding
        else ""
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help=f"where scores and the journal are kept (default: .imagereward in the folder{otherwise})",
    )


def add_curation(parser: argparse.ArgumentParser) -> None:
    """Everything that says which pictures become what."""
    _add_rule(parser)
    _add_actions(parser)
    marks = parser.add_argument_group("scores for other programs")
    add_setting(marks, CurateOptions, "write_scores", "--write-back")
    styles = tuple(filter(None, settings_of(CurateOptions)["xmp"].choices))
    add_setting(marks, CurateOptions, "xmp", "--xmp", nargs="?", const="both", choices=styles)
    _add_files(parser)
    add_prompts(parser)
    add_scorer(parser)
    add_weights(parser)


def _add_rule(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rule")
    add_conditions(group)
    add_setting(group, CurationRule, "per", "--within", "--per")
    bits = f"BITS of the 64 of their perceptual hashes may differ, 0 to {MOST_DISTANCE}; {DISTANCE} where none are given"
    optional = {"nargs": "?", "const": DISTANCE, "metavar": "BITS"}
    add_setting(group, CurationRule, "duplicate_bits", "--unique", more=bits, **optional)
    poor = "or goes to a folder of another name where one follows: great=90,good=50,poor"
    add_setting(group, CurationRule, "buckets", "--buckets", more=poor, metavar="TEXT")
    add_bucket_measure(group)


def add_bucket_measure(group: argparse._ActionsContainer) -> None:
    """How buckets are read, and stars that keep."""
    add_setting(group, Buckets, "by", "--buckets-by")
    stars = settings_of(CurationRule)["keep_stars"]
    more = f"from {stars.low:g} to {stars.high:g}"
    add_setting(group, CurationRule, "keep_stars", "--keep-stars", more=more)


def _add_actions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what happens to the files")
    which = group.add_mutually_exclusive_group()
    for name, action, words in _ACTIONS:
        which.add_argument(f"--{name}", dest="action", action="store_const", const=action, help=words)
    parser.set_defaults(action=settings_of(CurateOptions)["action"].default)
    add_folders(group)
    for option, metavar, words in (
        (
            "--into",
            "NAME=DIR",
            "folder for the pictures of a bucket (default: a folder of its name in OUTPUTS)",
        ),
        (
            "--leave",
            "NAME",
            "leave pictures of this name, such as rejected, where they are; may be given several times",
        ),
    ):
        group.add_argument(option, action="append", default=[], metavar=metavar, help=words)
    for name, option in (("resort", "--resort"), ("name_scores", "--score-in-name")):
        add_setting(group, CurateOptions, name, option)


def add_folders(group: argparse._ActionsContainer) -> None:
    """Where kept and rejected pictures go, or went."""
    for name in _FOLDERS:
        words = f"folder for {name} pictures (default: {name} in OUTPUTS)"
        group.add_argument(f"--{name}", type=Path, metavar="DIR", help=words)


def destination_folders(args: argparse.Namespace) -> dict[str, Path]:
    """Those of the options of :func:`add_folders` that are given, absolute."""
    return {name: _from_here(where) for name in _FOLDERS if (where := getattr(args, name)) is not None}


def _from_here(where: Path) -> Path:
    """What a person types is seen from where that person is, not from the folder."""
    return where.expanduser().absolute()


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    for name, words in {
        "include": "only pictures whose name fits PATTERN, such as '*.png'; with a slash it speaks of the path",
        "exclude": "no pictures and no folders whose name fits PATTERN",
    }.items():
        group.add_argument(f"--{name}", action="append", default=[], metavar="PATTERN", help=words)
    add_setting(group, ScanOptions, "unscored_only", "--unscored-only")
    _add_flags(
        group,
        no_subfolders="only the pictures of the folder itself",
        follow_links="look into folders that are links as well, and write to where links in OUTPUTS lead; without it nothing outside of "
        "OUTPUTS changes but in folders you name",
        rescore="forget all scores in the store, by every scorer, and score the pictures anew; for a folder that came with a store from "
        "somebody else. Stars and what was decided by hand stay",
        trust_scores="take the scores and stars of a store that was made elsewhere, or by an earlier version, as yours from now on",
        retry="try again pictures that could not be read and have not changed",
    )


def _add_flags(group: argparse._ActionsContainer, **helps: str) -> None:
    """Adds options without a value, each with its help."""
    for name, words in helps.items():
        group.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=words)


def curation_rule(args: argparse.Namespace, conditions: Rule) -> CurationRule:
    """Conditions, buckets and stars as one rule; BucketError where the buckets cannot be read."""
    buckets = Buckets.parse(args.buckets, args.buckets_by) if args.buckets else None
    unique = getattr(args, "unique", None)
    return CurationRule(conditions, args.within, unique, buckets, args.keep_stars)


def curate_options(args: argparse.Namespace) -> CurateOptions:
    """The whole command line as options; UsageError where they make no sense together."""
    from ..library.curate.destinations import CurateError
    from .prompts import check_typed

    check_percentiles(args)
    check_typed(args)
    folders = destination_folders(args)
    for text in args.into:
        name, equals, where = text.partition("=")
        if not (name and equals and where):
            raise UsageError(
                f"--into {text!r} cannot be read; expected NAME=DIR, such as great=/pictures/great"
            )
        folders[name] = _from_here(Path(where))
    try:
        scan = ScanOptions(
            recursive=not args.no_subfolders,
            include=tuple(args.include),
            exclude=tuple(args.exclude),
            follow_links=args.follow_links,
            unscored_only=args.unscored_only,
            prompt=args.prompt,
            prompt_from=args.prompt_from,
            raw_prompt=args.raw_prompt,
            retry=args.retry,
        )
        rule = curation_rule(args, rule_of(args, "all"))
        options = CurateOptions(
            rule=rule,
            action=args.action,
            folders=folders,
            leave=frozenset(args.leave),
            resort=args.resort,
            write_scores=args.write_back,
            xmp=args.xmp,
            scan=scan,
            name_scores=args.score_in_name,
        )
        destinations = options.destinations(args.outputs.expanduser().absolute())
        if not args.follow_links:
            destinations.check_links()
    except (BucketError, CurateError, ValueError) as error:
        raise UsageError(str(error)) from error
    if options.action != "stay" and rule.is_empty:
        raise UsageError(
            "there is no rule, so every picture would be kept; say which to keep with --top N, --top-percent P, --min-score X, "
            "--min-percentile P, --unique or --buckets, or give --stay with --write-back or --xmp to write scores alone"
        )
    if options.action == "stay" and not (options.write_scores or options.xmp):
        raise UsageError(
            "--stay does nothing alone; give --write-back or --xmp as well, or --copy, --link or --move"
        )
    return options


@contextmanager
def opened(
    args: argparse.Namespace,
    console: Console,
    *,
    make: bool = True,
    acting: bool = True,
    noting: bool = False,
) -> Iterator[Library]:
    """The library of the folder; UsageError where there is no such folder, or, without ``make``, no store.

    Where files are going to be dealt with (``acting``), what an earlier run left half done is settled and reported. Otherwise the journal
    is left alone, and a store that can only be read is taken from a copy that goes in the end; not so where something is going to be
    noted that has to stay (``noting``).
    """
    from ..library.library import Library
    from .curate_text import tell_settled

    place, root = place_of(args, make), args.outputs.expanduser().absolute()
    beside = place  # the journal is read where it lies
    with ExitStack() as until_the_end:
        if not (acting or noting or _writable(place)):
            place = _copied(place, until_the_end)
        library = until_the_end.enter_context(
            Library.open(place, root=root, data=data_folder(), beside=beside)
        )
        if acting:
            with library.journal() as journal:
                tell_settled(journal.recovered, console)
        yield library


@contextmanager
def looked_at(args: argparse.Namespace, console: Console) -> Iterator[Library]:
    """The library of the folder, to which nothing is written and beside which nothing is made.

    Where the folder has none and none is named, it is an empty one elsewhere, which goes in the end.

    Raises:
        UsageError: There is no such folder, or no store where the command line names one.
    """
    import tempfile

    from ..library.library import FILE_NAME, Library

    place, root = place_of(args, make=args.store is None), args.outputs.expanduser().absolute()
    if (place / FILE_NAME).is_file():
        with Library.look(place, root=root, data=data_folder()) as library:
            yield library
        return
    console.say(
        f"Nothing is stored about {args.outputs} yet: its pictures are shown, and nothing is kept of them."
    )
    with (
        tempfile.TemporaryDirectory(prefix="imagereward-") as folder,
        Library.open(Path(folder), root=root, beside=place) as library,
    ):
        yield library


def _writable(place: Path) -> bool:
    """Whether a store can be written to, or made."""
    from ..files.regular import nearest_existing
    from ..files.sqlite_view import linked_files
    from ..library.library import FILE_NAME

    file = place / FILE_NAME
    if (file.exists() and not os.access(file, os.W_OK)) or linked_files(file):
        return False
    return os.access(nearest_existing(place), os.W_OK)


def _copied(place: Path, until_the_end: ExitStack) -> Path:
    """A copy of a library elsewhere, for as long as the command runs."""
    import sqlite3
    import tempfile

    from ..library.library import FILE_NAME, Library

    folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="imagereward-")))
    with Library.look(place) as library, library.database.reading() as reading:
        copy = sqlite3.connect(folder / FILE_NAME)
        reading.backup(copy)
        copy.close()
    return folder


def place_of(args: argparse.Namespace, make: bool = True) -> Path:
    """Where the store of the folder is; UsageError where there is no such folder, or, without ``make``, no store."""
    from ..files import STORE_FOLDER
    from ..library.library import FILE_NAME
    from ..library.places import tabs_library

    root = args.outputs.expanduser().absolute()
    if not root.is_dir():
        raise UsageError(f"{args.outputs} is no folder; expected the folder with your pictures")
    place: Path = (args.store.expanduser() if args.store else root / STORE_FOLDER).absolute()
    if not make and not (place / FILE_NAME).is_file():
        tab = None if args.store else tabs_library(root)
        raise UsageError(
            f"{place} holds no store, so nothing was ever done here. 'imagereward curate' makes one in the folder it is given; --store "
            + (
                f"{shell_word(tab)} names that of the WebUI's tab, which knows these pictures"
                if tab
                else "names another place"
            )
        )
    return place


def find_store(args: argparse.Namespace, console: Console) -> None:
    """Puts the library of the WebUI's tab into the command line where it names none and that is the one to begin with, and says so.

    Raises:
        UsageError: There is no such folder.
    """
    from ..library.places import first_library

    own = place_of(args)
    if args.store is None and (found := first_library(args.outputs.expanduser())) != own:
        args.store = found
        console.say(
            f"The WebUI's tab knows these pictures: its library in {found} is used. --store DIR names another one."
        )


def settle_origin(args: argparse.Namespace, library: Library, console: Console) -> None:
    """Says so where the numbers of a store come from elsewhere, or does what the command line wants done about it."""
    anew = getattr(args, "rescore", False)
    if anew or getattr(args, "trust_scores", False):
        if library.beside != library.database.path.parent:
            raise UsageError(
                f"{library.beside} can only be read; --rescore and --trust-scores need a store that can be written. --store names another"
            )
        library.origin.claim(anew=anew)
        if not library.origin.is_own():
            console.complain(
                f"note: {library.data} cannot be written to, so this store is not known as yours the next time"
            )
        return
    if told := library.origin.remark():
        console.complain(f"note: {told}")
