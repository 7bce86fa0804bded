"""Files that appear complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A file beside ``target`` to be written in its place; it takes the name at the end, or goes where something fails.

    What it holds is on the disk before it takes the name, so that also after a power failure there is the earlier file or the new one,
    each whole.

    Raises:
        OSError: The file cannot be put there.
    """
    final = Path(target)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
