"""Long work in a thread of its own: scoring a folder, carrying out a plan, writing a page. One at a time in the whole program.

Pages ask for its state or are told of it, so that they can be closed, reloaded or opened twice while the work goes on.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import Cancelled, CuratorError

_numbers = itertools.count(1)


class BusyError(CuratorError):
    """Something else is at work."""


@dataclass(frozen=True)
class Progress:
    """How far work has come; ``seconds_left`` is an estimate, None where there is none yet."""

    done: int = 0
    total: int | None = None
    seconds_left: float | None = None
    note: str = ""


@dataclass(eq=False)
class Job:
    """One piece of work. When ``finished`` is set, ``result`` is, or ``problem``: why it gave nothing, in a sentence."""

    title: str
    number: int = field(default_factory=lambda: next(_numbers))
    progress: Progress = field(default_factory=Progress)
    result: Any = None
    problem: str = ""
    began: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)
    _finished: threading.Event = field(default_factory=threading.Event)

    @property
    def finished(self) -> bool:
        """Whether nothing more happens."""
        return self._finished.is_set()

    @property
    def stopping(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Asks it to stop; it does at the next safe place."""
        self._stop.set()

    def tell(
        self, done: int = 0, total: int | None = None, seconds_left: float | None = None, note: str = ""
    ) -> None:
        """Called by the work: how far it is, see :class:`Progress`."""
        self.progress = Progress(done, total, seconds_left, note)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it is finished; False if it still is not."""
        return self._finished.wait(seconds)

    def run(self, work: Callable[[Job], Any], report: Callable[[str, Exception], str]) -> None:
        """Does the work; never raises. ``report`` makes a sentence of a fault, and writes down the rest."""
        try:
            self.result = work(self)
        except Cancelled as error:
            self.problem = f"Stopped. {error}"
        except CuratorError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = report(f"{self.title} failed", error)
        finally:
            self._finished.set()


class Jobs:
    """The work of a program. ``report`` makes a sentence of a fault, and writes down the rest."""

    def __init__(self, report: Callable[[str, Exception], str]) -> None:
        self.report = report
        self._lock = threading.Lock()
        self._current: Job | None = None
        self._before: Job | None = None  # its page may not have looked yet when somebody else began

    def start(self, title: str, work: Callable[[Job], Any]) -> Job:
        """Starts work in a thread of its own.

        Raises:
            BusyError: Something is at work already.
        """
        with self._lock:
            if self._current is not None and not self._current.finished:
                raise BusyError(
                    f"{self._current.title} is still at work. Wait until it is done, or stop it; then try again."
                )
            self._before = self._current
            job = self._current = Job(title)
        threading.Thread(
            target=job.run, args=(work, self.report), name=f"imagereward {title}", daemon=True
        ).start()
        return job

    def current(self) -> Job | None:
        """The work that goes on, or that was last."""
        return self._current

    def of_page(self, number: int) -> Job | None:
        """The work of that number, 0 for none, which a page waits for, if it is known still; otherwise what goes on or was last."""
        known = (self._current, self._before)
        waited_for = [job for job in known if job is not None and job.number == number]
        return waited_for[0] if waited_for else self._current

    def close(self, seconds: float = 10.0) -> None:
        """Stops what is at work, and forgets it."""
        job = self._current
        if job is not None and not job.finished:
            job.stop()
            job.wait(seconds)
        self._current = self._before = None
