"""``imagereward annotate people``."""

from __future__ import annotations

import argparse
import time
from typing import Any

from sqlalchemy import Connection

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, UsageError

from ..protocol.keys import ROLES
from ..quality.status import statuses
from ..records import Agreement, Person
from ..store import people
from .shared import add_project, command, opened

_WHAT = ("list", "add", "token", "admit", "remove")


def add(commands: Any) -> None:
    """Declares the command."""
    parser = command(
        commands,
        "people",
        "list, add, admit or remove people",
        run,
        "Lists the people of a project with their progress and agreement; adds somebody and prints their token, which nobody can read "
        "again, since only its hash is kept; gives another token; admits or removes somebody by name.",
    )
    add_project(parser)
    parser.add_argument("action", nargs="?", choices=_WHAT, default="list", help="(default: list)")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="of whom")
    parser.add_argument("--role", choices=ROLES, default=ROLES[0], help="with add (default: annotator)")
    parser.add_argument("--admitted", action="store_true", help="with add: without the test before admission")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    console = Console(args.quiet)
    if args.action != "list" and not args.name:
        raise UsageError(f"'people {args.action}' needs a name; give it behind")
    now = time.time()
    with opened(args) as project:
        if args.action == "list":
            return _list(project)
        token = people.new_token()

        def act(connection: Connection) -> Person:
            if args.action == "add":
                state = people.starting_state(args.role, bool(project.options.test) and not args.admitted)
                return people.add(connection, args.name, args.role, state, token, now)
            if args.action == "token":
                return people.renew_token(connection, args.name, token, now)
            person = people.named(connection, args.name)
            state = people.ACTIVE if args.action == "admit" else people.REMOVED
            people.set_state(connection, person, state, now, {"why": "by name"})
            return person

        person = project.database.write(act)
    if args.action in ("add", "token"):
        console.say(f"{person.name} ({person.role}) works with this token, which cannot be read again:")
        print(token)  # noqa: T201 - the result
    else:
        console.say(
            f"{person.name} is {'admitted' if args.action == 'admit' else 'removed; their answers stay'}."
        )
    return DONE


def _list(project: Any) -> int:
    rows = [("NAME", "ROLE", "STATE", "DONE", "SKIPPED", "INVALID", "RESEARCHERS", "OTHERS")]
    for each in project.database.read(lambda connection: statuses(connection, project.terms)):
        rows.append(
            (
                each.person.name,
                each.person.role,
                each.person.state,
                str(each.progress.done),
                str(each.progress.skipped),
                str(each.progress.invalid),
                _share(each.researchers),
                _share(each.ensemble),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())  # noqa: T201
    return DONE


def _share(agreement: Agreement) -> str:
    return "-" if agreement.share is None else f"{100 * agreement.share:.0f} % of {agreement.pairs}"
