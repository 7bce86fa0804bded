"""Keeps two programs, say a WebUI and ComfyUI on one models folder, from writing the same file at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import WeightsError

logger = logging.getLogger(__name__)


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """A context in which no other program that asks the same way writes ``path``.

    Args:
        path: The file about to be written; the lock is an empty ``.<name>.lock`` beside it, freed by the
            system when its holder dies.
        waiting: Called about once a second while another program holds the lock; it may raise to give up.
            Without it, a held lock is an error at once.

    Raises:
        WeightsError: Another program is writing the file.
        OSError: The folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(str(path.with_name(f".{path.name}.lock")))
    held = True
    while True:
        try:
            lock.acquire(timeout=0 if waiting is None else 1)
            break
        except Timeout as error:
            if waiting is None:
                raise WeightsError(
                    f"another program is writing {path} just now; wait until it is done and try again"
                ) from error
            waiting()
        except NotImplementedError:
            logger.debug("this file system has no locks; %s is written without one", path)
            held = False
            break
    try:
        yield
    finally:
        if held:
            lock.release()
