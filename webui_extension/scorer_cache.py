"""Scorers by request, ready to score, and the memory that keeps them from being made twice."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError, NumberError, WeightsError
from imagereward_core.scorers import requests
from imagereward_core.scorers.requests import LoadRequest

from .host import info

if TYPE_CHECKING:
    from imagereward_core.metadata.missing import Prompt
    from imagereward_core.scorers.inputs import Picture
    from imagereward_core.scorers.panel import Panel, PanelResult
    from imagereward_core.scores import Scores
    from imagereward_core.weights.card import ScorerCard
    from imagereward_core.weights.locate import WeightSettings

    from .runtime import HostRuntime

log = logging.getLogger(__name__)

__all__ = [
    "LoadRequest",
    "LoadedScorer",
    "choices",
    "free",
    "load",
    "request_from_settings",
    "weight_settings",
]

DEFAULT_SCORER = "ImageReward-v1.0"

_lock = threading.RLock()
"""Held while a scorer is made, works or is freed. Taken after the host's queue lock, never before it."""
_held: dict[LoadRequest, LoadedScorer] = {}


class LoadedScorer:
    """A scorer, or a blend, with the runtime it works in.

    Args:
        request: What was asked for.
        panel: The scorer as the core's panel of one.
        runtime: The host's device and memory.
        files: The files its weights came from.
    """

    def __init__(
        self, request: LoadRequest, panel: Panel, runtime: HostRuntime, files: Sequence[Path]
    ) -> None:
        self.request, self.panel, self.runtime = request, panel, runtime
        self.stamp = requests.stamp_of(files)
        self.blends = _blends(request)
        self.used = time.monotonic()

    @property
    def card(self) -> ScorerCard:
        """The card of the scorer that decides."""
        return self.panel.card

    def score(self, pictures: Sequence[Picture], prompts: str | Sequence[Prompt]) -> PanelResult:
        """Scores pictures and judges them as one run; see :meth:`score_each`."""
        return self.panel.judge(self.score_each(pictures, prompts))

    def score_each(self, pictures: Sequence[Picture], prompts: str | Sequence[Prompt]) -> list[Scores]:
        """The Scores of every single scorer over pictures (Pillow, paths, arrays, or tensors [H, W, C] in 0..1), one call at a time.

        A picture that cannot be read has NaN and a reason; see ``Scores``.

        Raises:
            PromptError: The number of prompts does not fit.
            Cancelled: The user pressed the host's Interrupt.
            Exception: What the device says when even one picture does not fit; it is left empty.
        """
        with self.at_work(len(pictures)):
            return self.panel.score(list(pictures), prompts)

    @contextmanager
    def at_work(self, pictures: int, interruptible: bool = True) -> Iterator[None]:
        """Held while the panel's scorers work on so many pictures, for whoever calls them himself.

        Args:
            pictures: How many.
            interruptible: Whether the host's Interrupt stops the work; not outside of a job of the host.
        """
        with _lock, self.runtime.working(self.panel.scorers, self.request.batch_size, pictures):
            self.runtime.heeds_interrupt = interruptible
            try:
                yield
            finally:
                self.runtime.heeds_interrupt = True
                self.used = time.monotonic()

    def is_current(self) -> bool:
        """Whether the files and the saved blend it was made from are still the same."""
        return self.blends == _blends(self.request) and not requests.has_changed(self.stamp)


def load(request: LoadRequest, interruptible: bool = True) -> LoadedScorer:
    """The scorer of a request: the one that is held, or a new one, its weights fetched if need be.

    Args:
        request: What was chosen.
        interruptible: Whether the host's Interrupt stops a download.

    Raises:
        UnknownScorerError, WeightsError, DownloadError, BlendError: See the core.
        Cancelled: The user pressed the host's Interrupt during a download.
    """
    from .runtime import make_runtime, watch_idle

    with _lock:
        found = _held.get(request)
        if found is not None and found.is_current():
            return found
        runtime = make_runtime(request.device, request.precision)
        report = _Telling(runtime if interruptible else None)
        panel, files = requests.make_panel(
            request, runtime, weight_settings(request), report, checkpoint_path
        )
        if found is not None:
            found.runtime.release()
        _held[request] = LoadedScorer(request, panel, runtime, files)
        watch_idle()
        return _held[request]


def weight_settings(request: LoadRequest) -> WeightSettings:
    """Where this host keeps weights."""
    from imagereward_core.weights.locate import WeightSettings

    return WeightSettings(
        folders=info.models_folders(),
        allow_download=request.allow_download,
        to_allow="tick Download missing weights in Settings, ImageReward Curator",
    )


def choices() -> list[str]:
    """Names for drop-down lists: the registered scorers, the default first, then saved blends, then own checkpoints."""
    from imagereward_core.weights.cards import CARDS

    folders = info.models_folders()
    return [
        *CARDS,
        *requests.saved_blends(folders),
        *requests.own_checkpoints(_files_in(folders), checkpoint_path),
    ]


def names() -> list[str]:
    """What a request may name: the choices, and own checkpoints also by their ids."""
    from imagereward_core.weights.own import own_checkpoints

    own = own_checkpoints(weight_settings(request_from_settings()))
    return [*choices(), *(each.card.id for each in own.values())]


def free() -> str:
    """Drops all scorers and gives their memory back to the host; call it with the host's queue lock held, or when it is idle.

    Returns:
        What was done, in a sentence for the user.
    """
    with _lock:
        names = sorted({request.name for request in _held})
        for each in _held.values():
            each.runtime.release()
        _held.clear()
    if not names:
        return "No scorer was loaded; there was nothing to free."
    return f"Freed {', '.join(names)}. The next score loads {'it' if len(names) == 1 else 'what it needs'} again."


def held() -> list[LoadedScorer]:
    """The scorers in memory."""
    return list(_held.values())


def expire() -> None:
    """Lets every scorer go as soon as the host is idle; for settings that were changed, perhaps in the middle of a generation."""
    for each in held():
        each.used = -math.inf


def free_idle(seconds: float) -> list[str]:
    """Drops scorers that have not been used for so long; returns their names. None is dropped while one is at work."""
    if not _lock.acquire(blocking=False):
        return []
    try:
        now = time.monotonic()
        late = [request for request, each in _held.items() if now - each.used >= seconds]
        for request in late:
            _held.pop(request).runtime.release()
        return [request.name for request in late]
    finally:
        _lock.release()


def request_from_settings(name: str = "") -> LoadRequest:
    """The request for a scorer with what the settings page says about device, precision and the like.

    Args:
        name: As in :class:`LoadRequest`; empty for the default scorer of the settings page.

    Raises:
        NumberError: The number of pictures scored at once is none, as in a settings file written by hand.
    """
    try:
        return LoadRequest(
            name.strip() or str(info.option("imagereward_scorer", DEFAULT_SCORER)),
            info.option("imagereward_precision", "auto"),
            info.option("imagereward_device", "auto"),
            bool(info.option("imagereward_whole_picture", False)),
            info.option("imagereward_batch_size", 0),
            bool(info.option("imagereward_allow_download", True)),
        )
    except NumberError as error:
        raise NumberError(f"{error}. Change it in Settings, ImageReward Curator") from error


def _blends(request: LoadRequest) -> list[str]:
    """What the saved blends of a request consist of right now."""
    folders = info.models_folders()
    return [requests.blend_text(name, folders) for name in (request.name, *request.also)]


def _files_in(folders: Sequence[Path]) -> list[str]:
    """Names of the files directly in the models folders, sorted, each once."""
    names = set()
    for folder in folders:
        try:
            names |= {entry.name for entry in folder.iterdir() if entry.is_file()}
        except OSError:
            continue
    return sorted(names)


def checkpoint_path(name: str) -> str:
    """Where the checkpoint of that name lies in the models folders.

    Raises:
        WeightsError: There is none, or the name leads out of the folder.
    """
    from imagereward_core.weights.locate import inside

    folders = info.models_folders()
    for folder in folders:
        path = inside(folder, name)
        if path.is_file():
            return str(path)
    places = " or ".join(str(folder) for folder in folders)
    raise WeightsError(
        f"there is no checkpoint {name} in {places}; put the file there, or choose another scorer"
    )


class _Telling:
    """Shows a download, a checksum or a conversion in the host's progress line, and stops it when the user interrupts."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        self.name = ""

    def __call__(self, name: str, done: int, total: int) -> None:
        """Told the file's name, the bytes done and in total (0 where unknown)."""
        from modules import shared

        if self.runtime is not None:
            self.runtime.check_cancelled()
        share = f", {100 * done // total} %" if total else ""
        shared.state.textinfo = f"ImageReward Curator: {name}{share}"
        if name != self.name:
            self.name = name
            log.info("ImageReward Curator: %s, %.0f MB", name, total / 1e6)


def problem(error: BaseException) -> str:
    """A failure in a sentence for the user: the core's own errors say what to do; others are named."""
    return str(error) if isinstance(error, CuratorError) else f"{type(error).__name__}: {error}"
