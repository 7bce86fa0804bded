"""Messages and progress on stderr while a command runs, so that stdout holds results alone.

Texts of others (names, prompts, errors) reach a terminal through :class:`~..plain.PlainStream` alone, see :func:`plain_streams`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO, cast

from ..plain import PlainStream, plain

if TYPE_CHECKING:
    from ..library.scan.progress import ScanProgress


EVERY = 60.0
"""Seconds between lines about progress where no bar can be drawn, as in the log of a service."""
clock = time.monotonic


class Console:
    """Messages and progress on stderr: bars for a person who is looking, else a line a minute; ``quiet`` says nothing but errors."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str) -> None:
        """Something good to know."""
        if not self.quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Something that must be known, in one line."""
        self._show(plain(text))

    def trace(self, error: BaseException) -> None:
        """Where in the program an error arose."""
        parts = traceback.format_exception(type(error), error, error.__traceback__)
        # The texts of errors are of others; the rest is ours and has lines.
        ours = ("Traceback", "  ", "\n")
        lines = [
            part.rstrip("\n") if part.startswith(ours) else plain(part.removesuffix("\n")) for part in parts
        ]
        self._show("\n".join(lines))

    def _show(self, text: str) -> None:
        tqdm: Any = getattr(sys.modules.get("tqdm"), "tqdm", None)
        try:
            # A bar may stand on the last line.
            with nullcontext() if tqdm is None else tqdm.external_write_mode(file=_terminal()):
                print(text, file=sys.stderr, flush=True)
        except OSError:  # nobody reads messages any more: what is at work goes on
            discard(sys.stderr)

    @property
    def shows_progress(self) -> bool:
        """Whether a person is looking at stderr."""
        return not self.quiet and sys.stderr.isatty()

    @contextmanager
    def count(self, total: int, unit: str) -> Iterator[Callable[..., None]]:
        """A bar over ``total`` things; the function it gives takes how many are done, and how many there are if that is news."""
        with self._progress(unit=f" {unit}") as progress:
            progress.tell(unit, 0, total)
            yield lambda done, now=0: progress.tell(unit, done, now or total)

    @contextmanager
    def scan(self) -> Iterator[Callable[[ScanProgress], None]]:
        """A bar over a scan: first files found, then files dealt with, with rate, time left and the time of each stage."""
        with self._progress(unit=" files") as progress:

            def report(now: ScanProgress) -> None:
                if now.total is None:
                    progress.tell("files found", now.found, 0, desc="looking")
                    return
                failed = f", {now.failed:,} failed" if now.failed else ""
                spent = " ".join(f"{stage} {seconds:.0f}s" for stage, seconds in now.stages.items())
                progress.tell("files", now.done, now.total, failed, desc="scoring", spent=spent)

            progress.tell("files found", 0, 0, desc="looking")
            yield report

    @contextmanager
    def bytes(self) -> Iterator[Callable[[str, int, int], None]]:
        """Bars over the bytes of files that are downloaded, checked or converted one after another."""
        # huggingface_hub would draw a second bar over ours, and one where none is wanted.
        with suppress(ImportError):
            import_module("huggingface_hub.utils").disable_progress_bars()
        with self._progress(unit="B", unit_scale=True) as progress:
            yield lambda name, done, total: progress.tell(
                f"MB of {name}", done, total, desc=plain(name), scale=10**6
            )

    @contextmanager
    def _progress(self, **look: Any) -> Iterator[_Bar | _Lines]:
        try:
            bars = self.shows_progress and import_module("tqdm").tqdm
        except ImportError:
            bars = None
        progress = _Bar(bars, look) if bars else _Lines(self)
        try:
            yield progress
        finally:
            progress.close()


def is_attended() -> bool:
    """Whether there is a person who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str) -> bool:
    """Whether the person at the terminal answers with yes."""
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        return False
    return answer.strip().casefold() in ("y", "yes")


def wanted(args: argparse.Namespace, console: Console, question: str) -> bool:
    """Whether to do what was shown: --yes, or a person at a terminal who says so."""
    if args.yes or args.dry_run:
        return bool(args.yes)
    if not is_attended():
        console.say("Nothing has been done. Add --yes to do it.")
    elif agreed(question):
        return True
    else:
        console.say("Nothing has been done.")
    return False


class _ToConsole(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        (self.console.complain if record.levelno >= logging.WARNING else self.console.say)(
            record.getMessage()
        )
        if record.exc_info and record.exc_info[1] is not None and not self.console.quiet:
            self.console.trace(record.exc_info[1])


@contextmanager
def logging_to(console: Console, debug: bool) -> Iterator[None]:
    """Shows what the package logs as messages, while it lasts."""
    logger = logging.getLogger("imagereward_core")
    handler, level = _ToConsole(console), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def plain_streams() -> Iterator[None]:
    """While it lasts, nothing that is printed commands the terminal, and printing never fails.

    What the terminal's encoding lacks is printed as an escape. Results for programs go to a pipe as bytes and stay what they are.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        # A program without a console has none.
        sys.stdout, sys.stderr = (cast("TextIO", PlainStream(stream or nowhere)) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def discard(stream: TextIO) -> None:
    """Sends what is still to be printed nowhere, so that Python does not complain about it in the end."""
    with suppress(OSError, ValueError):  # a stream of a test has no number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _terminal() -> TextIO:
    """Stderr as a progress bar needs it, which moves about on its line."""
    return sys.stderr.stream if isinstance(sys.stderr, PlainStream) else sys.stderr


class _Bar:
    """A bar on the last line, and a new one for everything else that is counted; ``look`` are arguments of tqdm."""

    def __init__(self, tqdm: Any, look: dict[str, Any]) -> None:
        self._tqdm, self._bar, self._what = tqdm, tqdm(disable=True), ""
        self._look = {"dynamic_ncols": True, "leave": False, "file": _terminal(), **look}

    def tell(
        self, what: str, done: int, total: int, more: str = "", desc: str = "", spent: str = "", **_: int
    ) -> None:
        """Says how far things are, called ``desc``; ``total`` is 0 where nobody knows it."""
        if what != self._what or done < self._bar.n:
            self._bar.close()
            self._bar, self._what = self._tqdm(total=total or None, desc=desc, **self._look), what
        self._bar.total = total or self._bar.total
        self._bar.set_postfix_str(f"{spent}{more}", refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.close()


class _Lines:
    """Lines about progress, one in :data:`EVERY` seconds."""

    def __init__(self, console: Console) -> None:
        self.console, self.began = console, clock()
        self.next, self.first, self.what = self.began + EVERY, 0, ""

    def tell(self, what: str, done: int, total: int, more: str = "", scale: int = 1, **_: str) -> None:
        """Says how far things are, in units of ``scale``, if it is time; ``total`` is 0 where nobody knows it."""
        now, done, total = clock(), done // scale, total // scale
        if what != self.what:
            self.what, self.first, self.began = what, done, now
        if now < self.next:
            return
        self.next = now + EVERY
        if not total:
            self.console.say(f"{done:,} {what}{more}")
            return
        rate = (done - self.first) / (now - self.began) if now > self.began else 0
        left = f", about {_duration((total - done) / rate)} left" if rate > 0 and total > done else ""
        self.console.say(f"{done:,} of {total:,} {what} ({done / total:.0%}){more}{left}")

    def close(self) -> None:
        """Nothing stays on the last line."""


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{max(1, round(seconds / 60))} min"


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the encoding of ``stream`` has every character of ``text``."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
