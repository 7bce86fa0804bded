"""``imagereward annotate export`` and ``import``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.options import add_overwrite, data_folder
from imagereward_core.plain import count_of

from ...data.images import ImageSource
from ...data.images.moved import moved, prefix_from
from ...data.jsonl import write_rankings
from ...data.notes import Notes
from ...data.ranking import Ranking
from ...data.readers import FORMATS, open_rankings
from ..exchange.imagerewarddb import write_imagerewarddb
from ..exchange.imports import NOBODY, import_rankings
from ..exchange.label_studio import label_config, write_label_studio
from ..exchange.rankings import rankings_in
from ..exchange.stars import give_stars, stars_of, table_of_stars
from ..project.folder import Project
from ..quick.session import QuickSession
from .shared import add_project, command, opened

_FORMS = ("jsonl", "imagerewarddb", "label-studio", "label-studio-config", "ranks-csv", "ranks-json", "stars")


def add(commands: Any) -> None:
    """Declares both commands."""
    out = command(
        commands,
        "export",
        "write the answers for other programs",
        run_export,
        "Writes the answers that count: the last version of each, those that an inspector called invalid left out.",
    )
    add_project(out)
    out.add_argument(
        "--form",
        choices=_FORMS,
        default="jsonl",
        help="jsonl: rankings, as 'imagereward train' reads them; imagerewarddb: a folder in the layout of ImageRewardDB, pictures copied; "
        "label-studio: tasks with annotations; label-studio-config: the labelling interface for them; ranks-csv and ranks-json: the ranks "
        "of quick mode; stars: those of its pictures in the library, as a table, or into another library (default: jsonl)",
    )
    out.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the file, or the new folder, to write; with stars also a folder with a library, where equal pictures get them",
    )
    out.add_argument(
        "--without-test", action="store_true", help="leave the answers to the test before admission out"
    )
    add_overwrite(out)
    into = command(
        commands,
        "import",
        "take answers from other programs or projects in",
        run_import,
        "Takes rankings of any form that 'imagereward rankings' reads, as answers of their annotators. What a page would refuse is left "
        "out with the reason, and nothing that is there is changed.",
    )
    add_project(into)
    into.add_argument("rankings", type=Path, metavar="RANKINGS", help="a file or folder with rankings")
    into.add_argument("--images", type=Path, metavar="DIR", help="the folder of their pictures")
    into.add_argument(
        "--from",
        dest="form",
        choices=tuple(FORMATS),
        default="",
        help="the format, where it is not recognised",
    )
    into.add_argument(
        "--annotator",
        default=NOBODY,
        metavar="NAME",
        help="who answered, where a ranking does not say (default: %(default)s)",
    )
    into.add_argument(
        "--fill",
        action="store_true",
        help="take what rankings leave unsaid about the prompt's intent and about problems for 'clear' and 'none of these'; without it "
        "such rankings are left out under the protocol",
    )


def run_export(args: argparse.Namespace) -> int:
    """Writes the answers."""
    console = Console(args.quiet)
    with opened(args) as project:
        if args.form.startswith("ranks-"):
            quick, form = QuickSession(project), args.form.removeprefix("ranks-")
            try:
                text = project.database.read(lambda connection: quick.text(connection, form))
            finally:
                quick.close()
            _put(args, text)
            return DONE
        if args.form == "stars":
            return _export_stars(args, project, console)
        if args.form == "label-studio-config":
            _put(args, label_config())
            return DONE
        rankings = rankings_in(project)
        if args.without_test:
            rankings = [each for each in rankings if not each.extra.get("test")]
        if not rankings:
            raise UsageError(
                f"{args.project}: nobody has answered anything yet, so there is nothing to write"
            )
        notes = Notes()
        count = _write(args, project, rankings, notes, console)
    for note in list(notes)[:5]:
        console.complain(f"left out: {note}")
    console.say(f"Wrote {count_of(count, 'ranking')} to {args.output}")
    return SOME_FAILED if notes.total else DONE


def _export_stars(args: argparse.Namespace, project: Project, console: Console) -> int:
    found = stars_of(project)
    if not found:
        raise UsageError(f"{args.project}: no picture of it has stars; keys 0 to 5 give some in quick mode")
    if not args.output.is_dir():
        prefix = prefix_from(args.output, project.images)
        if prefix is None:
            console.say(
                f"The pictures stay where they are: give --images {project.images} with {args.output}."
            )
        _put(args, table_of_stars(found, prefix or ""))
        console.say(f"Wrote the stars of {count_of(len(found), 'picture')} to {args.output}")
        return DONE
    given = give_stars(project, found, args.output.absolute(), replace=args.overwrite, data=data_folder())
    for name, there, stars in given.kept[:5]:
        console.complain(f"kept: {name}: there it has {there} stars, here {stars}; --overwrite replaces them")
    if len(given.kept) > 5:
        console.complain(f"{count_of(len(given.kept), 'picture')} kept other stars in all")
    unknown = f"; {given.unknown:,} are not in that library" if given.unknown else ""
    same = f"; {given.same:,} had them already" if given.same else ""
    console.say(f"Gave {count_of(given.given, 'picture')} their stars in {args.output}{same}{unknown}.")
    return DONE


def _put(args: argparse.Namespace, text: str) -> None:
    from imagereward_core.report.replace import replacing

    with replacing(args.output, overwrite=args.overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _write(
    args: argparse.Namespace, project: Project, rankings: Sequence[Ranking], notes: Notes, console: Console
) -> int:
    root = project.images
    if args.form == "imagerewarddb":
        return write_imagerewarddb(args.output, rankings, ImageSource(root), notes)
    prefix = prefix_from(args.output, root)
    if prefix is None:
        console.say(f"The pictures stay where they are: give --images {root} with {args.output}.")
    found = moved(rankings, root, prefix or "")
    if args.output.is_file() and not args.overwrite:
        raise UsageError(
            f"{args.output} is there already; give --output another name, or add --overwrite to replace it"
        )
    if args.form == "label-studio":
        return write_label_studio(args.output, found, overwrite=args.overwrite)
    return write_rankings(args.output, found, overwrite=args.overwrite)


def run_import(args: argparse.Namespace) -> int:
    """Takes answers in."""
    console = Console(args.quiet)
    with opened(args) as project:
        data = open_rankings(args.rankings, args.images, format=args.form)
        done = import_rankings(
            project, data.rankings, data.images.root, time.time(), fill=args.fill, annotator=args.annotator
        )
    for note in [*data.notes, *done.left_out][:5]:
        console.complain(f"left out: {note}")
    left_out = data.left_out + done.left_out.total
    if left_out > 5:
        console.complain(f"{count_of(left_out, 'ranking')} left out in all")
    same = f"; {done.same:,} were there already" if done.same else ""
    console.say(f"Took {count_of(done.added, 'answer')} in, with {count_of(done.tasks, 'new prompt')}{same}.")
    return SOME_FAILED if left_out else DONE
