"""Locks, so that two programs, say a WebUI and ComfyUI on one models folder, never write one file at once."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import WeightsError

logger = logging.getLogger(__name__)


class StrangeLockError(WeightsError):
    """In the place of a lock lies something that is none."""


def _check_empty(lock: Path) -> None:
    """Refuses a lock that leads elsewhere or holds anything: taking a lock empties its file, and a folder may come from a stranger."""
    try:
        facts = lock.lstat()
    except OSError:
        return
    if not stat.S_ISREG(facts.st_mode) or facts.st_size:
        raise StrangeLockError(
            f"{lock} is no lock of this program, which is an empty file; it is left as it is. Move it away and try again"
        )


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """A context in which no other program that asks the same way writes ``path``.

    The lock is an empty ``.<name>.lock`` beside it, freed by the system when its holder dies. ``waiting`` is called about once a second
    while another program holds it, and may raise to give up; without it, a held lock is an error at once.

    Raises:
        WeightsError: Another program is writing the file.
        StrangeLockError: In the place of the lock lies something else.
        OSError: The folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    own = path.with_name(f".{path.name}.lock")
    _check_empty(own)
    lock = FileLock(str(own))
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
