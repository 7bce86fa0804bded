"""Writes files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A new file beside ``target`` to be written; it takes the name at the end, or goes where something fails.

    What it holds is on the disk before it takes the name, so that also after a power failure there is the earlier file or the new one,
    each whole. A symbolic link stays, and what it leads to is replaced; permissions and owner of an existing file stay.

    Raises:
        OSError: The file cannot be put there; the error names ``target``.
    """
    final = Path(os.path.realpath(target))
    temporary = final.with_name(f".imagereward-{secrets.token_hex(8)}.tmp")
    try:
        # Made here and by nobody else: a link that somebody has put there is not followed.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                _like(temporary, final.stat())
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise naming(error, target, temporary) from error


def naming(error: OSError, target: str | os.PathLike[str], temporary: Path | None = None) -> OSError:
    """An error of writing that names the file a person asked for; one that names another file stays as it is."""
    if error.filename not in (None, "", str(temporary), temporary):
        return error
    return OSError(error.errno or errno.EIO, error.strerror or str(error), os.fspath(target))


def _like(path: Path, status: os.stat_result) -> None:
    """Gives ``path`` the owner, where we may, and the permissions of another file."""
    with suppress(OSError):
        if hasattr(os, "chown"):
            os.chown(path, status.st_uid, status.st_gid)
    path.chmod(stat.S_IMODE(status.st_mode))
