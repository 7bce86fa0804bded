"""Takes turns with the host: a scorer works only while no picture is being generated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


def turn() -> AbstractContextManager[Any]:
    """The host's queue, to wait for and hold. Never to be used inside a hook: the host holds it there already."""
    from modules import call_queue

    lock: AbstractContextManager[Any] = call_queue.queue_lock
    return lock


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
