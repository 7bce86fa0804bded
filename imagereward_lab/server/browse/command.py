"""``imagereward open``: a page over a folder of pictures."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.arguments import add_setting, number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.curate_options import add_place, find_store, looked_at, opened, settle_origin
from imagereward_core.cli.exits import DONE, EXPLANATION
from imagereward_core.cli.options import add_prompts, add_talk, add_weights, weight_settings
from imagereward_core.errors import UnknownScorerError, WeightsError
from imagereward_core.scorers.requests import LoadRequest

from ..options import add_serving, serving

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser
    from imagereward_core.library.library import Library
    from imagereward_core.scorers.panel import Panel
    from imagereward_core.weights.locate import WeightSettings

    from .desk import Desk

_EXAMPLES = """\
examples:
  imagereward open outputs                     look, give stars, curate; new pictures appear and are scored
  imagereward open outputs --scorer demo       score with the small model that comes along
  imagereward open outputs --no-watch          score nothing: show the numbers there are
  imagereward open outputs --read-only         only look
  imagereward open outputs --host 0.0.0.0      for other computers too, by a link with a token

docs/open.md shows the page and its keys.
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Shows the pictures of a folder in the browser, best first: large, side by side, with stars, keep and reject by keys, filters, and "
        "curation as a preview that is carried out and taken back. While it is open, pictures that arrive are scored. Nothing but this "
        "computer is contacted."
    )
    parser.epilog = f"{_EXAMPLES}\n{EXPLANATION}"
    add_place(parser, finding=True)
    group = parser.add_argument_group("scorer")
    words = "by default the one most pictures of the folder have numbers of; pictures without one are scored by it"
    add_setting(group, LoadRequest, "name", "-s", "--scorer", more=words, default="", metavar="ID|FILE|BLEND")
    group.add_argument(
        "--also", action="append", default=[], metavar="ID", help="score by this scorer as well"
    )
    add_setting(group, LoadRequest, "device", "--device", more="auto, cpu, cuda, cuda:1, xpu or mps")
    add_setting(group, LoadRequest, "precision", "--precision")
    least = number_type(1, whole=True)
    add_setting(group, LoadRequest, "batch_size", "--batch-size", type=least, default=None)
    add_setting(group, LoadRequest, "whole_picture", "--whole-picture")
    group.add_argument("--no-watch", action="store_true", help="score nothing, and look for no new pictures")
    group.add_argument(
        "--read-only",
        action="store_true",
        help="no stars, no decisions, nothing moved, nothing scored, and no store is made",
    )
    seconds = number_type(0.1, 86400)
    group.add_argument(
        "--poll",
        type=seconds,
        default=0.0,
        metavar="S",
        help="look into the folder every S seconds instead of waiting for the system's events, which network drives often do not send",
    )
    add_prompts(parser)
    add_weights(parser)
    add_serving(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serves until it is stopped; returns the exit code.

    Raises:
        UsageError: There is no such folder, or the options do not go together.
        UnknownScorerError, BlendError, WeightsError: There is no such scorer or blend.
        CuratorError: The library cannot be read, or the address cannot be listened at.
    """
    from imagereward_core.cli.prompts import check_typed
    from imagereward_core.gallery.jobs import Jobs

    from ..app import make_app
    from ..events import Events
    from .curating import Curator
    from .routes import NAME, make_part
    from .watching import Scorer

    console = Console(args.quiet)
    check_typed(args)
    find_store(args, console)
    with ExitStack() as until_the_end:
        # What an earlier run left half done is settled at once, unless nothing may be done here.
        library = until_the_end.enter_context(
            looked_at(args, console) if args.read_only else opened(args, console)
        )
        settle_origin(args, library, console)
        _check_scorers(args, library)
        desk = _desk(args, library, Events())
        until_the_end.callback(desk.close)
        scorer = Scorer(desk, lambda: _panel(args, library, console), _settings(args))
        remark = library.origin.remark()
        curator = Curator(desk, Jobs(_report))
        part = make_part(desk, curator, scorer, remark)
        serving(
            args,
            console,
            lambda access, hosts, copies: make_app([part], access, hosts, small_copies=copies),
            path=NAME,
            keeping=not args.read_only,
            ending=desk.events.end,
        )
        curator.jobs.close()
    return DONE


def _check_scorers(args: argparse.Namespace, library: Library) -> None:
    """Raises what :func:`imagereward_core.cli.scorers.check_scorers` does, now and not in the thread that scores.

    Where nothing is scored, a scorer whose weights are gone will do as long as the library has numbers of it.
    """
    from imagereward_core.cli.scorers import check_scorers, saved_blends
    from imagereward_core.library.stored_panel import NoNumbersError, stored_panel

    settings = weight_settings(args)
    try:
        check_scorers(args, settings)
    except UnknownScorerError as error:
        if not _only_shows(args):
            raise
        try:
            stored_panel(library, args.scorer, blends=saved_blends(settings), weights=settings)
        except NoNumbersError:
            raise error from None


def _only_shows(args: argparse.Namespace) -> bool:
    return bool(args.no_watch or args.read_only)


def _desk(args: argparse.Namespace, library: Library, events: Any) -> Desk:
    from imagereward_core.cli.scorers import saved_blends
    from imagereward_core.library.scan.options import ScanOptions

    from .desk import Desk

    settings = weight_settings(args)
    scan = ScanOptions(prompt=args.prompt, prompt_from=args.prompt_from, raw_prompt=args.raw_prompt)
    return Desk(
        library,
        args.outputs.expanduser().absolute(),
        scan,
        events,
        scorer=args.scorer,
        blends=saved_blends(settings),
        weights=settings,
        read_only=args.read_only,
    )


def _settings(args: argparse.Namespace) -> Any:
    from imagereward_core.library.watch.watcher import WatchSettings

    return WatchSettings(poll=args.poll, gather=2.0)


def _panel(args: argparse.Namespace, library: Library, console: Console) -> Panel | None:
    """The scorers that score what is new; None where nothing is to be scored."""
    from imagereward_core.cli.scorers import load_panel
    from imagereward_core.library.store.records import Query
    from imagereward_core.scorers.requests import DEFAULT_SCORER

    if _only_shows(args):
        return None
    settings = weight_settings(args)
    if not args.scorer:
        folder = args.outputs.expanduser().absolute()
        held = sorted(
            library.keys(), key=lambda key: -library.count(Query(key=key, folder=folder, scored=True))
        )
        args.scorer = held[0].scorer if held else DEFAULT_SCORER
        # Nobody asked for this one: it is not fetched.
        _here(args.scorer, settings)
        settings = replace(
            settings, allow_download=False, to_allow="name the scorer with --scorer, which fetches it"
        )
    return load_panel(args, settings, console)


def _here(scorer: str, settings: WeightSettings) -> None:
    """Raises WeightsError where files of a scorer that nobody asked for are missing: they are not fetched unasked."""
    from imagereward_core.weights.cards import CARDS
    from imagereward_core.weights.lacking import lacking

    missing = lacking([CARDS[scorer]], settings) if scorer in CARDS else []
    if missing:
        size = sum(each.size for each in missing)
        raise WeightsError(
            f"the weights of {scorer} are not on this computer, and nothing is fetched unasked. End this with Ctrl-C, then begin again "
            f"with --scorer {scorer}, which fetches them ({size / 1e6:,.0f} MB), or with another scorer; 'imagereward models list' "
            "names all"
        )


def _report(what: str, error: Exception) -> str:
    """A fault in a sentence; the rest goes to the window of the server."""
    import sys
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    return f"{what}: {type(error).__name__}: {error}"
