"""Says on the command line whose numbers a store holds, and has them trusted or forgotten."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .console import Console
from .exits import UsageError

if TYPE_CHECKING:
    from ..library.library import Library


def settle_origin(args: argparse.Namespace, library: Library, console: Console) -> None:
    """Says so where the numbers of a store come from elsewhere, or does what the command line wants done about it.

    Raises:
        UsageError: The store can only be read.
    """
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
    elif told := library.origin.remark(_how_to_settle(args)):
        console.complain(f"note: {told}")


def _how_to_settle(args: argparse.Namespace) -> str:
    """The commands that have a store's pictures scored anew, or take its numbers as one's own."""
    from .curate_text import shell_word

    store = f" --store {shell_word(args.store)}" if getattr(args, "store", None) else ""
    return f"'imagereward curate {shell_word(args.outputs)}{store} ...' with --rescore scores anew, with --trust-scores takes them as yours"
