"""Takes turns with the host: a scorer works only while no picture is being generated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def turn() -> Iterator[None]:
    """Waits for the host's queue and holds it. Never to be used inside a hook: the host holds it there already."""
    from modules.call_queue import queue_lock

    with queue_lock:
        yield


@contextmanager
def job(name: str) -> Iterator[Any]:
    """The same for a whole piece of work that the host's progress shows under ``name``; gives the host's state."""
    from modules.shared import state

    with turn():
        state.begin(job=name)
        try:
            yield state
        finally:
            state.end()
