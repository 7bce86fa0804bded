"""``imagereward annotate``: makes projects, keeps their people, serves their pages, and brings answers out and in."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.exits import USAGE

from . import exchange, new, people, serve, status

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser

_EXAMPLES = """\
examples:
  imagereward annotate new stars --from outputs                      a project under the paper's protocol, of the pictures in outputs
  imagereward annotate people stars add ann                          prints the token that ann works with
  imagereward annotate stars                                         opens the page, on this computer alone
  imagereward annotate outputs                                       quick mode: which of two pictures is better, one key each
  imagereward annotate export stars -o rankings.jsonl                what 'imagereward train' reads
  imagereward annotate new picks --from outputs --mode top-picks --scorers ImageReward-v1.0,CLIP

docs/annotation.md explains all of it.
"""
_EXITS = """\
exit codes:
    0  done
    1  an import left rankings out (the others are in)
    2  the command line cannot be understood
    3  a package is missing
    4  anything else, for example a store that cannot be written
"""


class _OrServe(argparse._SubParsersAction):
    """Commands by name; any other word is the project to serve."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Runs the command's own parser, or that of ``serve``."""
        words = [values] if isinstance(values, str) else list(values or ())
        if words and words[0] not in self._name_parser_map:
            words = ["serve", *words]
        super().__call__(parser, namespace, words, option_string)


def declare(parser: Parser) -> None:
    """Adds the command's own commands."""
    parser.description = (
        "Asks people about pictures, on a page of this computer: ratings and rankings under the ImageReward paper's protocol, the best and "
        "the worst, picks of several scorers, generators, or quick questions. Pictures stay where they are and as they are."
    )
    parser.epilog = f"{_EXAMPLES}\n{_EXITS}"
    parser.set_defaults(run=lambda args: _help(parser), quiet=False, debug=False)
    commands = parser.add_subparsers(
        dest="what", metavar="WHAT", title="commands", action=_OrServe, parser_class=type(parser)
    )
    for each in (serve, new, people, status, exchange):
        each.add(commands)
    commands.choices = None  # type: ignore[assignment]  # any other word is a project


def _help(parser: Parser) -> int:
    parser.print_help()
    return USAGE
