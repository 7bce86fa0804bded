"""Options of the commands that serve pages, and serving as they say."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from imagereward_core.cli.arguments import number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.options import data_folder
from imagereward_core.gallery.small_copies import MOST, SmallCopies

from .access import Access, new_token
from .start import LOCAL, Listening, needs_token, serve

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .hosts import Hosts


def add_serving(parser: argparse.ArgumentParser) -> None:
    """Where and how pages are served."""
    group = parser.add_argument_group("server")
    group.add_argument(
        "--host",
        default=LOCAL,
        metavar="ADDRESS",
        help=f"address to listen at (default: {LOCAL}, which only this computer reaches); 0.0.0.0 for all. Others then need the token in "
        "the link that is printed; what is sent can be read on the way, so use it in a network you trust",
    )
    group.add_argument(
        "--port",
        type=number_type(0, 65535, whole=True),
        default=0,
        metavar="N",
        help="port to listen at (default: a free one)",
    )
    group.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which this computer is reached, such as pictures.home; may be given several times",
    )
    group.add_argument(
        "--token",
        action="store_true",
        help="ask for a token on this computer as well, where others use it too",
    )
    group.add_argument("--no-browser", action="store_true", help="open no browser; the address is printed")
    group.add_argument(
        "--small-pictures",
        type=number_type(1, 1_000_000, whole=True),
        default=MOST // 1024**2,
        metavar="MB",
        help=f"room that small copies of pictures may take on the disk, in MB (default: {MOST // 1024**2}); those not seen the longest go",
    )


def serving(
    args: argparse.Namespace,
    console: Console,
    make: Callable[[Access, Hosts, SmallCopies], ASGIApp],
    *,
    path: str,
    ending: Callable[[], None] = lambda: None,
    access: Access | None = None,
    keeping: bool = True,
) -> None:
    """Serves until Ctrl-C as the options of :func:`add_serving` say.

    Args:
        args: The command line.
        console: Where the address is said.
        make: Makes the application.
        path: The first page, as seen from the address.
        ending: Closes streams; see :func:`.start.serve`.
        access: Who may come in; by default everybody on this computer, and others with a token that is new each time.
        keeping: Whether small copies of pictures are kept for the next time; otherwise they go in the end.

    Raises:
        UsageError: There is nobody to be told the address.
        ServeError: The address cannot be listened at.
    """
    token = ""
    if access is None:
        token = new_token() if args.token or needs_token(args.host) else ""
        access = Access.by_token(token) if token else Access.open()
    elif needs_token(args.host) and not access.required:
        raise UsageError(f"--host {args.host} is reached by others, who need tokens here")
    home = data_folder() if keeping else None
    copies = SmallCopies(home / "small-pictures" if home else None, args.small_pictures * 1024**2)

    def made(listening: Listening) -> ASGIApp:
        return make(access, listening.hosts, copies)

    serve(
        made,
        host=args.host,
        port=args.port,
        names=tuple(args.name),
        browser=not args.no_browser,
        say=lambda text: print(text, flush=True),  # noqa: T201 - also with --quiet: without it nobody finds the page
        path=f"{path}#token={token}" if token else path,
        ending=ending,
    )
