"""``imagereward annotate new``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE
from imagereward_core.plain import count_of

from ..project.candidates import LeftOut
from ..project.folder import without_password
from ..project.new import Source, new_project
from ..project.options import ProjectOptions
from ..protocol.modes import MODES
from .shared import command, plainly, tell_left_out


def add(commands: Any) -> None:
    """Declares the command."""
    parser = command(
        commands,
        "new",
        "make a project out of pictures",
        run,
        "Makes a project: pictures are grouped by prompt, 4 to 9 of each are drawn by the seed, and what is left out is counted. Pictures "
        "stay where they are.",
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a new folder for the project")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="PICTURES",
        help="a folder of pictures with their prompts, its library where it has one, or a table with the columns image and prompt, "
        "perhaps source (.csv, .json, .jsonl, .parquet)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="with a table: the folder of the pictures (default: that of the table)",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="ask only about these prompts: a text with one a line, or a table with the columns prompt and perhaps translation, as "
        "'imagereward select-prompts' writes it",
    )
    modes = "; ".join(f"{name}: {mode.help}" for name, mode in MODES.items())
    add_setting(parser, ProjectOptions, "mode", "--mode", more=modes)
    parser.add_argument(
        "--scorers",
        default="",
        metavar="IDS",
        help="with top-picks: whose picks are pooled (default: all of the library); with per-generator: the one that chooses each "
        "generator's best picture (default: the seed does)",
    )
    for name, option in (
        ("top", "--top"),
        ("least", "--least"),
        ("most", "--most"),
        ("prompts", "--number"),
        ("seed", "--seed"),
        ("people", "--people"),
        ("skips", "--skips"),
        ("lease_minutes", "--lease-minutes"),
        ("test", "--test"),
        ("threshold", "--threshold"),
        ("least_pairs", "--least-pairs"),
        ("side_by_side", "--side-by-side"),
        ("questions", "--questions"),
        ("across_prompts", "--across-prompts"),
    ):
        add_setting(parser, ProjectOptions, name, option, dest=f"option_{name}")
    parser.add_argument(
        "--database",
        default="",
        metavar="URL",
        help="keep answers in a PostgreSQL database that is this project's alone, such as postgresql://user@host/name; a password is read "
        "from .pgpass or PGPASSWORD (default: a file in the project's folder)",
    )


def run(args: argparse.Namespace) -> int:
    """Makes the project, and says what is in it and what is not."""
    console, left_out = Console(args.quiet), LeftOut()
    names = [name.removeprefix("option_") for name in vars(args) if name.startswith("option_")]
    with plainly():
        given = {name: getattr(args, f"option_{name}") for name in names}
        options = ProjectOptions(mode=args.mode, **given)
        source = Source.of(args.source.expanduser(), args.images)
        if args.database and without_password(args.database)[1]:
            console.complain("note: the password is not kept; later it is read from .pgpass or PGPASSWORD")
        scorers = [name.strip() for name in args.scorers.split(",") if name.strip()]
        try:
            with console.count(0, "pictures") as progress:
                tasks = new_project(
                    args.project.expanduser(),
                    source,
                    options,
                    time.time(),
                    prompts=args.prompts,
                    scorers=scorers,
                    database=args.database,
                    left_out=left_out,
                    progress=progress,
                )
        finally:  # where nothing is left to ask about, this says why
            tell_left_out(console, dict(left_out.counts), left_out.examples)
    if source.kind == "library":
        console.say(
            f"Read from the library of {source.path}; pictures that it does not know yet are not asked about."
        )
    images = sum(len(task.images) for task in tasks)
    console.say(
        f"{args.project}: {count_of(len(tasks), 'prompt')} with {count_of(images, 'picture')}, mode {options.mode}"
    )
    if options.test:
        console.say(
            f"{options.test} of the prompts are the test before admission; let a researcher take it first."
        )
    console.say(f"Go on with: imagereward annotate {args.project}")
    return DONE
