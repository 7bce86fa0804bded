"""``imagereward annotate PROJECT``: the pages, until Ctrl-C."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from imagereward_core.cli.arguments import add_setting, number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, UsageError
from imagereward_core.cli.options import data_folder

from ..project.candidates import LeftOut
from ..project.folder import is_project
from ..project.new import open_quick, remark_of
from ..project.options import ProjectOptions
from ..protocol.keys import QUICK
from .shared import command, plainly, tell_left_out

_LOCAL = "127.0.0.1"


def add(commands: Any) -> None:
    """Declares the command, which any word that is no command stands for."""
    parser = command(
        commands,
        "serve",
        "serve the pages of a project; the word may be left out: imagereward annotate PROJECT",
        run,
        "Serves the pages of a project until Ctrl-C. A folder of pictures that is no project is asked about in quick mode, and what is "
        "answered is kept beside its library.",
    )
    parser.add_argument(
        "project", type=Path, metavar="PROJECT", help="the folder of a project, or one of pictures"
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="the folder of the pictures, where it has moved"
    )
    parser.add_argument(
        "--host",
        default=_LOCAL,
        metavar="ADDRESS",
        help="the address to listen at (default: this computer alone)",
    )
    parser.add_argument(
        "--port", type=number_type(0, 65535, whole=True), default=0, metavar="N", help="(default: a free one)"
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which the server is reached",
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help="with a folder of pictures: where its library is, which has stars and answers, such as imagereward/library in the folder of a "
        "WebUI, for that of its tab (default: where it was the last time, at first .imagereward in the folder; where nothing is judged "
        "there, that of the tab, if it knows the pictures)",
    )
    add_setting(parser, ProjectOptions, "across_prompts", "--across-prompts")
    add_setting(parser, ProjectOptions, "side_by_side", "--side-by-side")


def run(args: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from ..pages.serve import serve_project

    console = Console(args.quiet)
    folder = args.project.expanduser()
    with plainly():
        first = ""
        if not is_project(folder):
            if not folder.is_dir():
                raise UsageError(
                    f"{folder}: there is no such folder; expected a project, or a folder of pictures"
                )
            options = ProjectOptions(
                mode=QUICK, across_prompts=args.across_prompts, side_by_side=args.side_by_side
            )
            left_out = LeftOut()
            with console.count(0, "pictures") as progress:
                folder = open_quick(
                    folder,
                    options,
                    time.time(),
                    left_out,
                    store=None if args.store is None else args.store.expanduser().absolute(),
                    data=data_folder(),
                    progress=progress,
                )
            tell_left_out(console, dict(left_out.counts), left_out.examples)
            first = "quick"
            if told := remark_of(folder, data_folder()):
                console.complain(f"note: {told}")
        elif args.store is not None:
            raise UsageError("--store goes with a folder of pictures; a project keeps its answers itself")
        serve_project(
            folder,
            images=args.images,
            data=data_folder(),
            host=args.host,
            port=args.port,
            names=tuple(args.name),
            browser=not args.no_browser,
            say=lambda text: print(text, flush=True),  # noqa: T201 - also with --quiet: without it nobody gets in
            first=first,
        )
    return DONE
