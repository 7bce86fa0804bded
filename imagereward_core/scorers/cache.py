"""The cache of scorers: equal requests share one that is ready to score. Used by all hosts."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from . import requests
from .requests import LoadRequest, Stamp

if TYPE_CHECKING:
    from ..metadata.missing import Prompt
    from ..runtime import Runtime
    from ..scores import Scores
    from ..weights.card import ScorerCard
    from ..weights.locate import WeightSettings
    from ..weights.manifest import Progress
    from .inputs import Picture
    from .panel import Panel, PanelResult


class WeightHost(Protocol):
    """The program that a cache serves."""

    def models_folders(self) -> Sequence[Path]:
        """Where weights and saved blends lie; the first is written to."""

    def weight_settings(self, request: LoadRequest) -> WeightSettings:
        """Where the weights of a request are looked for, and whether they may be fetched."""

    def checkpoint_path(self, name: str) -> str:
        """Where the checkpoint of a name for which ``requests.is_weights`` holds lies."""

    def make_runtime(self, request: LoadRequest) -> Runtime:
        """A device and its memory for the scorers of a request."""

    def report(self, runtime: Runtime, interruptible: bool) -> Progress | None:
        """What the progress of a download, a checksum or a conversion is reported to."""


class LoadedScorer:
    """A scorer, or a blend, as a panel with those beside it, the host's runtime it works in, and the lock that is held meanwhile."""

    def __init__(self, request: LoadRequest, panel: Panel, runtime: Any, lock: threading.RLock) -> None:
        self.request, self.panel, self.runtime, self.lock = request, panel, runtime, lock
        self.generation = ""
        self.used = time.monotonic()

    @property
    def card(self) -> ScorerCard:
        """The card of the scorer that decides."""
        return self.panel.card

    @contextmanager
    def at_work(self, pictures: int) -> Iterator[None]:
        """Held while the panel's scorers work on so many pictures, for whoever calls them himself."""
        with self.lock, self.runtime.working(self.panel.scorers, self.request.batch_size, pictures):
            try:
                yield
            finally:
                self.used = time.monotonic()

    def score_each(self, pictures: Sequence[Picture], prompts: str | Sequence[Prompt]) -> list[Scores]:
        """The Scores of every single scorer over pictures, one call at a time; see :meth:`.base.Scorer.score`.

        Raises:
            PromptError: The number of prompts does not fit.
            Cancelled: Somebody pressed the host's button; where a host has an exception of its own for it, that one.
            Exception: What the device says when even one picture does not fit; it is left empty.
        """
        with self.at_work(len(pictures)):
            return self.panel.score(list(pictures), prompts)

    def score(self, pictures: Sequence[Picture], prompts: str | Sequence[Prompt]) -> PanelResult:
        """Scores pictures and judges them as one run; see :meth:`score_each`."""
        return self.panel.judge(self.score_each(pictures, prompts))


L = TypeVar("L", bound=LoadedScorer)


class ScorerCache(Generic[L]):
    """Every scorer of a program, made once for equal requests, and made anew when its files or its saved blend change.

    Where ``weak``, a scorer lives as long as somebody outside holds it, as in a host with a cache of its own; otherwise until it is freed,
    at once or after some time without use. ``make`` joins a request, a panel, a runtime and the cache's lock.
    """

    def __init__(
        self,
        host: WeightHost,
        make: Callable[[LoadRequest, Panel, Any, threading.RLock], L],
        *,
        weak: bool = False,
    ) -> None:
        self.host, self.weak, self._make = host, weak, make
        self.lock = threading.RLock()
        """Held while a scorer is made, works or is freed. Taken after a host's own lock, never before it."""
        self._held: MutableMapping[LoadRequest, L] = weakref.WeakValueDictionary() if weak else {}
        self._seen: dict[LoadRequest, tuple[int, Stamp]] = {}
        """For every request how often its files changed under us, and what they were when last loaded."""

    def load(self, request: LoadRequest, interruptible: bool = True) -> L:
        """The scorer of a request: the one that is held, or a new one, its weights fetched if need be.

        The host's button stops a download where it is ``interruptible``. Errors are those of ``factory.Maker.make`` and Cancelled.
        """
        with self.lock:
            generation = self.generation(request)
            found = self._held.get(request)
            if found is not None and found.generation == generation:
                return found
            runtime = self.host.make_runtime(request)
            report = self.host.report(runtime, interruptible)
            panel, files = requests.make_panel(
                request, runtime, self.host.weight_settings(request), report, self.host.checkpoint_path
            )
            if found is not None and not self.weak:
                found.runtime.release()
            made = self._make(request, panel, runtime, self.lock)
            made.generation, self._held[request] = generation, made
            self._seen[request] = (self._seen.get(request, (0, ()))[0], requests.stamp_of(files))
            return made

    def generation(self, request: LoadRequest) -> str:
        """A text that stays the same while the weights of a request and its blends do, also across their first download."""
        count, stamp = self._seen.get(request, (0, ()))
        if requests.has_changed(stamp):
            count, stamp = count + 1, ()
            self._seen[request] = (count, stamp)
        folders = self.host.models_folders()
        blends = [requests.blend_text(name, folders) for name in (request.name, *request.also)]
        return " ".join([*request.key, *blends, str(count)])

    def held(self) -> list[L]:
        """The scorers in memory."""
        return list(self._held.values())

    def expire(self) -> None:
        """Lets every scorer go at the next look for idle ones; for settings that were changed, perhaps in the middle of a run."""
        for each in self.held():
            each.used = -math.inf

    def free(self, idle: float = 0.0, wait: bool = True) -> list[str]:
        """Drops scorers not used for ``idle`` seconds and gives their memory back, with the host's lock held; returns their names, sorted.

        Without ``wait`` nothing is dropped while one is at work.
        """
        if not self.lock.acquire(blocking=wait):
            return []
        try:
            now = time.monotonic()
            late = [request for request, each in self._held.items() if now - each.used >= idle]
            for request in late:
                self._held.pop(request).runtime.release()
            return sorted({request.name for request in late})
        finally:
            self.lock.release()
