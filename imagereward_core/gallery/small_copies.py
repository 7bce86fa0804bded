"""Small copies of pictures as files: made once, kept in a folder within a limit, those not asked for the longest going first."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIDE = 384
MOST = 256 * 1024 * 1024
"""Bytes that small copies may take; about 25 kB each."""
_ENDING = ".jpg"


class SmallCopies:
    """Makes and keeps small JPEG copies. May be used from any number of threads, and its folder by several programs at once.

    Of a picture that cannot be read nothing is kept: next time it may be.

    Args:
        folder: Where they are kept, made where it is missing; None for one that goes with :meth:`close`.
        most: Bytes that they may take together.
        side: No side is longer, in pixels.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST, side: int = SIDE) -> None:
        self.most, self.side = most, side
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._making: dict[str, tuple[threading.Lock, list[None]]] = {}  # with one entry for each who waits
        self._sizes: OrderedDict[str, int] | None = None  # by name, the one not asked for the longest first
        self._total = 0

    def close(self) -> None:
        """Removes a folder of its own."""
        with self._lock:
            if self._temporary is not None:
                self._temporary.cleanup()
            self._temporary = self._sizes = None
            self._total = 0

    def known(self, path: Path) -> bytes | None:
        """The small copy of a file as it is now; None where it is still to be made.

        Raises:
            OSError: The file is not there.
        """
        return self._read(self._name(path))

    def get(self, path: Path) -> bytes:
        """The small copy of a file as it is now, JPEG; made at the first call.

        Raises:
            ImageError: The file is no picture, or cannot be read now.
            OSError: The same.
            CuratorError: Small copies cannot be kept.
        """
        name = self._name(path)
        with self._alone(name):
            data = self._read(name)
            if data is None:
                data = _small(path, self.side)
                if (
                    self._name(path) == name
                ):  # else it was written to meanwhile, and what was read may be half of it
                    self._keep(name, data)
        return data

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Whoever asks for the same one meanwhile waits for it."""
        with self._lock:
            lock, waiting = self._making.setdefault(name, (threading.Lock(), []))
            waiting.append(None)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                waiting.pop()
                if not waiting:
                    del self._making[name]

    def file(self, path: Path) -> Path:
        """The file that holds the small copy of a file as it is now; made at the first call. Raises as :meth:`get`."""
        self.get(path)
        with self._lock:
            return self._place() / self._name(path)

    def _name(self, path: Path) -> str:
        """A name for the state a file is in now."""
        state = path.stat()
        told = f"{path} {state.st_mtime_ns} {state.st_size} {self.side}"
        return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32] + _ENDING

    def _place(self) -> Path:
        """The folder; its files are counted at the first call. Only with the lock."""
        from ..errors import CuratorError

        place = self._folder
        try:
            if place is None:
                if self._temporary is None:
                    self._temporary = tempfile.TemporaryDirectory(
                        prefix="imagereward-", ignore_cleanup_errors=True
                    )
                place = Path(self._temporary.name)
            else:
                place.mkdir(parents=True, exist_ok=True)
            if self._sizes is None:
                self._sizes = _found(place)
                self._total = sum(self._sizes.values())
        except OSError as error:
            raise CuratorError(_no_room(place, error)) from error
        return place

    def _read(self, name: str) -> bytes | None:
        with self._lock:
            path = self._place() / name
            if self._sizes is not None and name in self._sizes:
                self._sizes.move_to_end(name)
        try:
            data = path.read_bytes()
            os.utime(path)  # the order outlasts this program
        except OSError:
            return None
        return data or None

    def _keep(self, name: str, data: bytes) -> None:
        from ..errors import CuratorError

        with self._lock:
            target = self._place() / name
        part = target.with_name(f"{target.stem}-{os.getpid()}-{threading.get_ident()}.part")
        try:
            part.write_bytes(data)
            part.replace(target)  # whoever reads meanwhile gets all of it or nothing
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise CuratorError(_no_room(target.parent, error)) from error
        with self._lock:
            assert self._sizes is not None
            self._total += len(data) - self._sizes.pop(name, 0)
            self._sizes[name] = len(data)
            while self._total > self.most and len(self._sizes) > 1:
                oldest, size = self._sizes.popitem(last=False)
                self._total -= size
                with suppress(OSError):  # on Windows one that is being read
                    target.with_name(oldest).unlink()


def _found(place: Path) -> OrderedDict[str, int]:
    """The small copies that lie in a folder, the one not asked for the longest first."""
    found: list[tuple[int, str, int]] = []
    with os.scandir(place) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.endswith(_ENDING) and entry.is_file(follow_symlinks=False):
                    state = entry.stat()
                    found.append((state.st_mtime_ns, entry.name, state.st_size))
    return OrderedDict((name, size) for _, name, size in sorted(found))


def _no_room(place: Path | None, error: OSError) -> str:
    where = place or tempfile.gettempdir()
    why = error.strerror or error
    return f"small pictures cannot be kept in {where} ({why}); free some room, then show the folder again"


def _small(source: Path, side: int) -> bytes:
    from PIL import Image

    from ..errors import ImageError
    from ..images.decode import open_image
    from ..report.thumbnails import small_copy

    try:
        picture = small_copy(open_image(source), side)
    except ValueError as error:
        raise ImageError(f"{source.name} cannot be shown: {error}") from error
    if picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, (255, 255, 255))
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
