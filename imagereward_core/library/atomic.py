"""Files that appear complete or not at all, and only where nothing of somebody else's is lost."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .output_files import OutputFileError, refusal


@contextmanager
def replacing(target: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """A file beside ``target`` to be written in its place; it takes the name at the end, or goes where something fails.

    What it holds is on the disk before it takes the name, so that also after a power failure there is the earlier file or the new one,
    each whole. A symbolic link stays, and what it leads to is replaced; the permissions of an existing file stay. A device or pipe
    is written to as it is: then the path that is handed out is its own.

    Args:
        target: The file to be there in the end.
        overwrite: Whether an existing file that this program did not write may be replaced; a picture never is.

    Raises:
        OutputFileError: There is a file already that must stay.
        OSError: The file cannot be put there; the error names ``target``.
    """
    if is_stream(target):
        yield Path(target)
        return
    reason = refusal(target, overwrite)
    if reason:
        raise OutputFileError(reason)
    final = Path(os.path.realpath(target))
    temporary = final.with_name(f".imagereward-{secrets.token_hex(8)}.tmp")
    try:
        # Made here and by nobody else: a link that somebody has put there is not followed.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            if final.exists():
                temporary.chmod(stat.S_IMODE(final.stat().st_mode))
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.filename not in (None, str(temporary), temporary):
            raise
        raise type(error)(error.errno or errno.EIO, error.strerror or str(error), str(target)) from error


def is_stream(target: str | os.PathLike[str]) -> bool:
    """Whether a name stands for something that is written to and never replaced: a pipe, a device, an open file of this process."""
    if os.name != "nt" and os.path.abspath(target).startswith(("/dev/", "/proc/")):  # noqa: PTH100
        return True
    try:
        mode = os.stat(target).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
