"""The key in the user's own data folder, and signatures made with it.

A journal lies beside pictures and comes along with them: from a friend, a download, a shared drive. That a step stands in it proves
nothing. Steps that lead out of its folder are signed, and only those that were are acted on.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from ...errors import WeightsError
from ...files.locks import exclusive

KEY_FILE = "journal.key"
_BYTES = 32
_WITHOUT = "what is moved or copied out of the folder from now on is not vouched for, and undo will ask about it (--confirm-outside)"


def key_problem(data: Path | None) -> str:
    """The fault of a data folder's key, and its consequence for what leads out of the folder that is dealt with.

    Empty where nothing is wrong, where there is no key yet, and for None. Nothing is changed.
    """
    if data is None:
        return ""
    key = data / KEY_FILE
    try:
        size = key.stat().st_size
        if _read(data) is None and size != _BYTES:
            return (
                f"{key} is damaged: it has {size} bytes; expected {_BYTES}. It is kept as {_aside(key).name}, and a new one is made. What "
                "was moved or copied out of a folder before is no longer vouched for: undo asks about it (--confirm-outside)"
            )
        with key.open("rb"):
            return ""
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return f"{key} cannot be read ({error.strerror}); {_WITHOUT}. Allow reading it"
    there = next((folder for folder in (data, *data.parents) if os.path.lexists(folder)), data)
    if os.path.isdir(there) and os.access(there, os.W_OK):  # noqa: PTH112 - raises nothing
        return ""
    return (
        f"{data}, where the key lies that vouches for what leads out of a folder, cannot be used: {there} is no folder, or may not be "
        f"written to; {_WITHOUT}"
    )


class Seal:
    """Signs and checks with the key of a data folder.

    Args:
        data: The user's own folder for this program; it and the key are made when something is first signed. None, or a folder that
            cannot be used, for a key that this object alone has: what it signs is known to nobody later.
    """

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._key: bytes | None = None

    def sign(self, parts: Iterable[object]) -> bytes:
        """The signature of some values: text, bytes, whole numbers or None, in this order."""
        if self._key is None and self._data is not None:
            self._key = _read(self._data) or _renewed(self._data)
        if self._key is None:
            self._key = secrets.token_bytes(_BYTES)
        return hmac.new(self._key, _joined(parts), hashlib.sha256).digest()

    def knows(self, signature: object, parts: Iterable[object]) -> bool:
        """Whether a signature was made here for exactly these values. No key is made for that."""
        if self._key is None and self._data is not None:
            self._key = _read(self._data)
        if not self._key or not isinstance(signature, bytes):
            return False
        return hmac.compare_digest(signature, hmac.new(self._key, _joined(parts), hashlib.sha256).digest())


def _joined(parts: Iterable[object]) -> bytes:
    """Bytes that no other values give: each with its type and length before it."""
    pieces = []
    for part in parts:
        kind = b"n"
        data = b""
        if isinstance(part, bytes):
            kind, data = b"b", part
        elif isinstance(part, str):
            kind, data = b"t", part.encode("utf-8", "surrogatepass")
        elif part is not None:
            kind, data = b"i", str(part).encode("utf-8", "surrogatepass")
        pieces += [kind, len(data).to_bytes(8, "big"), data]
    return b"".join(pieces)


def _read(data: Path) -> bytes | None:
    with suppress(OSError):
        with (data / KEY_FILE).open("rb") as file:
            key = file.read(_BYTES + 1)
        if len(key) == _BYTES:
            return key
    return None


def _renewed(data: Path) -> bytes | None:
    """A new key; a damaged one gets another name, and is kept."""
    key, until = data / KEY_FILE, time.monotonic() + 30

    def wait() -> None:
        if time.monotonic() > until:
            raise WeightsError(f"{key} is held by another program")

    if os.path.lexists(key):
        with suppress(OSError, WeightsError), exclusive(key, wait):
            # Under the lock: another process may have made the new one just now. One that cannot be read is left.
            if _read(data) is None and key.is_file() and os.access(key, os.R_OK):
                key.rename(_aside(key))
    return _make(data)


def _aside(key: Path) -> Path:
    """A free name for a damaged key."""
    names = (f"{key.name}.damaged{f'-{number}' if number else ''}" for number in count())
    return next(path for path in map(key.with_name, names) if not os.path.lexists(path))


def _make(data: Path) -> bytes | None:
    """A new key, or the one that another process makes at this instant; None where the folder cannot be used, or holds a damaged one."""
    temporary = data / f".{KEY_FILE}.{secrets.token_hex(8)}.tmp"
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.write(handle, secrets.token_bytes(_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        _give(temporary, data / KEY_FILE)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            temporary.unlink()
    return _read(data)


def _give(temporary: Path, key: Path) -> None:
    """Gives the whole file its name, never in the place of another."""
    if os.name != "nt":
        try:
            os.link(temporary, key)
            return
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if key.exists():
                raise
    os.rename(temporary, key)  # noqa: PTH104 - Windows never replaces here
