"""Frees scorers that have been idle for a while, when the host is doing nothing."""

from __future__ import annotations

import logging
import threading
from typing import Any

from imagereward_core.scorers.cache import ScorerCache

from ..host import info

log = logging.getLogger(__name__)

INTERVAL = 20.0
"""Seconds between two looks."""
DEFAULT_MINUTES = 10

_guard = threading.Lock()
_stop = threading.Event()
_watcher: threading.Thread | None = None


def idle_seconds() -> float:
    """After how many seconds without use a scorer is let go; 0 for never. A setting that is no such number counts as its default."""
    return 60.0 * info.number("imagereward_idle_minutes", DEFAULT_MINUTES, low=0)


def watch_idle(cache: ScorerCache[Any]) -> None:
    """Starts the watch over a cache, unless it is on already; it ends by itself once no scorer is left."""
    global _watcher
    with _guard:
        if _watcher is None or not _watcher.is_alive():
            _stop.clear()
            _watcher = threading.Thread(target=_watch, args=(cache,), name="imagereward-idle", daemon=True)
            _watcher.start()


def look(cache: ScorerCache[Any]) -> bool:
    """Frees what has been idle for too long, unless the host is busy; whether a scorer is still held."""
    seconds = idle_seconds()
    if seconds and cache.held():
        from modules.call_queue import queue_lock

        # Hosts move models in their own thread: never while one is at work, and never waiting for it.
        if queue_lock.acquire(blocking=False):
            try:
                freed = cache.free(idle=seconds, wait=False)
            finally:
                queue_lock.release()
            if freed:
                log.info(
                    "ImageReward Curator: freed %s after %.0f idle minutes", ", ".join(freed), seconds / 60
                )
    return bool(cache.held())


def _watch(cache: ScorerCache[Any]) -> None:
    global _watcher
    while not _stop.wait(INTERVAL):
        try:
            going_on = look(cache)
        except Exception as error:
            log.warning(
                "ImageReward Curator: idle scorers could not be freed: %s: %s", type(error).__name__, error
            )
            going_on = True
        with _guard:
            if not going_on and not cache.held():
                _watcher = None
                return


def close(cache: ScorerCache[Any]) -> None:
    """Ends the watch and frees every scorer; for the host's reload."""
    _stop.set()
    cache.free()
