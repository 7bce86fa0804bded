"""What a person is told while a command runs: messages and progress on stderr, so that stdout holds results alone."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ..library.scan.options import ScanProgress


class Console:
    """Messages and progress bars on stderr.

    Args:
        quiet: Say nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str) -> None:
        """Something good to know."""
        if not self.quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Something that must be known."""
        tqdm: Any = getattr(sys.modules.get("tqdm"), "tqdm", None)
        if tqdm is None:
            print(text, file=sys.stderr, flush=True)
        else:  # a bar may stand on the last line
            with tqdm.external_write_mode(file=sys.stderr):
                print(text, file=sys.stderr, flush=True)

    @property
    def shows_progress(self) -> bool:
        """Whether a person is looking at stderr."""
        return not self.quiet and sys.stderr.isatty()

    @contextmanager
    def count(self, total: int, unit: str) -> Iterator[Callable[..., None]]:
        """A bar over ``total`` things; the function it gives is told how many are done, and how many there are if that is news."""
        tqdm = _tqdm() if self.shows_progress else None
        if tqdm is None:
            yield lambda done, total=0: None
            return
        with tqdm(total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True, leave=False) as bar:

            def report(done: int, total: int = 0) -> None:
                bar.total = total or bar.total
                bar.update(done - bar.n)

            yield report

    @contextmanager
    def scan(self) -> Iterator[Callable[[ScanProgress], None]]:
        """A bar over a scan: first files found, then files dealt with, with rate, time left and the time of each stage."""
        tqdm = _tqdm() if self.shows_progress else None
        if tqdm is None:
            yield lambda progress: None
            return
        bar = tqdm(unit=" files", desc="looking", file=sys.stderr, dynamic_ncols=True, leave=False)
        working = False

        def report(progress: ScanProgress) -> None:
            nonlocal working
            if progress.total is None:
                bar.update(progress.found - bar.n)
                return
            if not working:
                working = True
                bar.reset(total=progress.total)
                bar.set_description("scoring")
            spent = " ".join(f"{stage} {seconds:.0f}s" for stage, seconds in progress.stages.items())
            bar.set_postfix_str(
                f"{spent}{f', {progress.failed} failed' if progress.failed else ''}", refresh=False
            )
            bar.update(progress.done - bar.n)

        try:
            yield report
        finally:
            bar.close()

    @contextmanager
    def bytes(self) -> Iterator[Callable[[str, int, int], None]]:
        """Bars over the bytes of files that are downloaded, checked or converted one after another."""
        _hide_bars_of_the_hub()
        tqdm = _tqdm() if self.shows_progress else None
        if tqdm is None:
            yield lambda name, done, total: None
            return
        look = {"unit": "B", "unit_scale": True, "dynamic_ncols": True, "leave": False, "file": sys.stderr}
        bar, shown = tqdm(disable=True), ""

        def report(name: str, done: int, total: int) -> None:
            nonlocal bar, shown
            if name != shown or done < bar.n:
                bar.close()
                bar, shown = tqdm(total=total or None, desc=name, **look), name
            bar.update(done - bar.n)

        try:
            yield report
        finally:
            bar.close()


class _ToConsole(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        (self.console.complain if record.levelno >= logging.WARNING else self.console.say)(
            self.format(record)
        )


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


def prepare_streams() -> None:
    """Makes printing never fail: what the terminal's encoding lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the encoding of ``stream`` has every character of ``text``."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _hide_bars_of_the_hub() -> None:
    """huggingface_hub would draw a second bar over ours, and one where none is wanted."""
    try:
        import_module("huggingface_hub.utils").disable_progress_bars()
    except ImportError:
        return


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
