"""``imagereward blends``: blends of scorers under a name, for this command and every host that reads the same models folder."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from .console import Console
from .exits import DONE
from .options import Commands, add_command, add_list_format, add_talk, add_weights, weight_settings

if TYPE_CHECKING:
    from ..scorers.blend_file import BlendFile


def add_parser(commands: Commands) -> None:
    """Declares the command and its own commands."""
    parser = add_command(
        commands,
        "blends",
        _list,
        help="save, list or remove blends of scorers",
        description=(
            "Keeps blends of scorers under a name. A blend is used as --scorer blend:NAME. Its text is a list of scorers with their "
            "weights and a method: 'standard' brings scores to one scale first, 'rank' compares places within each prompt, "
            "'weighted' adds raw scores."
        ),
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the blends there are")
    add_list_format(listing)
    saving = actions.add_parser("save", help="keep a blend under a name")
    saving.add_argument("name", metavar="NAME")
    saving.add_argument("blend", metavar="TEXT", help="for example ImageReward-v1.0=0.7,PickScore=0.3@rank")
    saving.add_argument("--overwrite", action="store_true", help="change a blend that has this name already")
    # As it was called before.
    saving.add_argument("--replace", dest="overwrite", action="store_true", help=argparse.SUPPRESS)
    removing = actions.add_parser("remove", help="forget a blend; a copy of the file is kept")
    removing.add_argument("name", metavar="NAME")
    for action, run in ((listing, _list), (saving, _save), (removing, _remove)):
        add_weights(action)
        add_talk(action)
        action.set_defaults(run=run)


def _file(args: argparse.Namespace) -> BlendFile:
    from ..scorers.blend_file import BlendFile
    from .scorers import blends_folder

    return BlendFile(blends_folder(weight_settings(args)))


def _list(args: argparse.Namespace) -> int:
    from ..scorers.blend_file import format_blend
    from .output.table import Column, render_table
    from .output.write import ellipsis, window_width

    blends, problems = _file(args).load()
    console = Console(args.quiet)
    for name, problem in problems.items():
        console.complain(f"{name}: {problem}")
    if args.format == "json":
        print(json.dumps({name: format_blend(blend) for name, blend in blends.items()}, indent=2))
    elif blends:
        rows = [(f"blend:{name}", format_blend(blend)) for name, blend in blends.items()]
        columns = (Column("Use as"), Column("Blend", flexible=True))
        sys.stdout.write(render_table(columns, rows, window_width(), ellipsis()))
    else:
        console.say("No blends are saved. 'imagereward blends save NAME TEXT' saves one.")
    return DONE


def _save(args: argparse.Namespace) -> int:
    from ..scorers.blend_file import parse_blend
    from ..scorers.registry import card_of

    blend = parse_blend(args.blend, args.name)
    for member in blend.members:
        card_of(member.scorer, weight_settings(args))
    file, console = _file(args), Console(args.quiet)
    backup = file.save(blend, args.overwrite)
    console.say(
        f"Saved. Use it as --scorer blend:{blend.name}"
        + (f"; the file as it was is {backup}" if backup else "")
    )
    return DONE


def _remove(args: argparse.Namespace) -> int:
    backup = _file(args).remove(args.name)
    Console(args.quiet).say(f"Removed; the file as it was is {backup}")
    return DONE
