"""Scorers of this host by request: the core's cache, kept until they are freed or have been idle for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError, NumberError, WeightsError
from imagereward_core.scorers import cache, requests
from imagereward_core.scorers.requests import DEFAULT_SCORER, LoadRequest
from imagereward_core.settings import settings_of

from .host import info

if TYPE_CHECKING:
    from imagereward_core.weights.locate import WeightSettings

    from .runtime import HostRuntime

log = logging.getLogger(__name__)

_OF_REQUESTS = (
    "imagereward_precision",
    "imagereward_device",
    "imagereward_whole_picture",
    "imagereward_batch_size",
    "imagereward_allow_download",
)
"""Options of the settings page that are settings of a request, by their names."""


class LoadedScorer(cache.LoadedScorer):
    """See the core; here the host's Interrupt concerns some work and not other."""

    runtime: HostRuntime

    @contextmanager
    def at_work(self, pictures: int, interruptible: bool = True) -> Iterator[None]:
        """See the core; the host's Interrupt stops the work where it is ``interruptible``, which it is not outside of a job of the host."""
        with super().at_work(pictures):
            self.runtime.heeds_interrupt = interruptible
            try:
                yield
            finally:
                self.runtime.heeds_interrupt = True


class _Webui:
    """The WebUI for the core's cache; see ``cache.WeightHost``."""

    def models_folders(self) -> tuple[Path, ...]:
        return info.models_folders()

    def weight_settings(self, request: LoadRequest) -> WeightSettings:
        from imagereward_core.weights.locate import WeightSettings

        return WeightSettings(
            folders=info.models_folders(),
            allow_download=request.allow_download,
            to_allow="tick Download missing weights in Settings, ImageReward Curator",
        )

    def checkpoint_path(self, name: str) -> str:
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

    def make_runtime(self, request: LoadRequest) -> HostRuntime:
        from .runtime import make_runtime

        return make_runtime(request.device, request.precision)

    def report(self, runtime: Any, interruptible: bool) -> _Telling:
        return _Telling(runtime if interruptible else None)


HOST = _Webui()
CACHE = cache.ScorerCache(HOST, LoadedScorer)
held, expire = CACHE.held, CACHE.expire
weight_settings, checkpoint_path = HOST.weight_settings, HOST.checkpoint_path


def load(request: LoadRequest, interruptible: bool = True) -> LoadedScorer:
    """The scorer of a request, see ``ScorerCache.load`` of the core. Scorers without use are looked for from now on."""
    from .runtime import watch_idle

    found = CACHE.load(request, interruptible)
    watch_idle(CACHE)
    return found


def choices() -> list[str]:
    """Names for drop-down lists: the registered scorers, the default first, then saved blends, then own checkpoints."""
    folders = info.models_folders()
    return requests.choices(folders, _files_in(folders), checkpoint_path)


def names() -> list[str]:
    """The names a request may use: the choices, and own checkpoints also by their ids."""
    from imagereward_core.weights.own import own_checkpoints

    own = own_checkpoints(weight_settings(request_from_settings()))
    return [*choices(), *(each.card.id for each in own.values())]


def free() -> str:
    """Drops all scorers and says so; call it with the host's queue lock held, or when it is idle. Their memory goes back to the host."""
    names = CACHE.free()
    if not names:
        return "No scorer was loaded; there was nothing to free."
    return f"Freed {', '.join(names)}. The next score loads {'it' if len(names) == 1 else 'what it needs'} again."


def close() -> None:
    """Ends the watch for idle scorers and frees all; for the host's reload."""
    from .runtime import idle

    idle.close(CACHE)


def request_from_settings(name: str = "") -> LoadRequest:
    """The request for a scorer, by default that of the settings page, with what the page says about device, precision and the like.

    Raises:
        NumberError: The number of pictures scored at once is none, as in a settings file written by hand.
    """
    chosen: dict[str, Any] = {}
    for key in _OF_REQUESTS:
        known = settings_of(LoadRequest)[key.removeprefix("imagereward_")]
        value = info.option(key, known.default)
        chosen[known.name] = bool(value) if known.kind == "bool" else value
    try:
        return LoadRequest(name.strip() or str(info.option("imagereward_scorer", DEFAULT_SCORER)), **chosen)
    except NumberError as error:
        raise NumberError(f"{error}. Change it in Settings, ImageReward Curator") from error


def _files_in(folders: Sequence[Path]) -> list[str]:
    """Names of the files directly in the models folders, sorted, each once."""
    names = set()
    for folder in folders:
        try:
            names |= {entry.name for entry in folder.iterdir() if entry.is_file()}
        except OSError:
            continue
    return sorted(names)


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
