"""Small pictures for the gallery, as files in a folder that goes when the program ends."""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagereward_core.library.records import Row

SIDE = 384
_MOST = 4000
"""Files kept; about 25 kB each."""


class Thumbs:
    """Makes and keeps small pictures. Of one that cannot be read nothing is kept: next time it may be."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Path] = OrderedDict()

    def close(self) -> None:
        """Removes the files."""
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
            self._folder = None
            self._known.clear()

    def known(self, row: Row) -> Path | None:
        """The small picture of a file as it is now; None where it is still to be made.

        Raises:
            OSError: The file is not there.
        """
        key = _key(row)
        with self._lock:
            known = self._known.get(key)
            if known is None or not known.is_file():
                return None
            self._known.move_to_end(key)
            return known

    def file(self, row: Row) -> Path:
        """The small picture of a file; made at the first call.

        Raises:
            ImageError: The file is no picture, or cannot be read now.
            OSError: The same.
            CuratorError: The small picture cannot be written.
        """
        known = self.known(row)
        if known is not None:
            return known
        key = _key(row)
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="imagereward-", ignore_cleanup_errors=True)
            path = Path(self._folder.name) / f"{key}.jpg"
        _write(row.path, path)
        if _key(row) != key:  # written to meanwhile: what was read may be half of it
            return path
        with self._lock:
            self._known[key] = path
            while len(self._known) > _MOST:
                with suppress(OSError):  # on Windows one that is being shown
                    self._known.popitem(last=False)[1].unlink(missing_ok=True)
        return path


thumbs = Thumbs()
"""Those of this program."""


def _key(row: Row) -> str:
    """A name for the state that a file is in now, which may be another one than when it was scored."""
    state = row.path.stat()
    told = f"{row.path} {state.st_mtime_ns} {state.st_size} {row.content}"
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _write(source: Path, target: Path) -> None:
    from PIL import Image

    from imagereward_core.errors import CuratorError, ImageError
    from imagereward_core.images.decode import open_image
    from imagereward_core.library.thumbnails import small_copy

    try:
        picture = small_copy(open_image(source), SIDE)
    except ValueError as error:
        raise ImageError(f"{source.name} cannot be shown: {error}") from error
    if picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, (255, 255, 255))
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    part = target.with_name(f"{target.stem}-{threading.get_ident()}.part")
    try:
        part.write_bytes(buffer.getvalue())
        part.replace(target)  # whoever asks meanwhile gets all of it or waits for a copy of his own
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise CuratorError(
            f"small pictures cannot be kept in {target.parent} ({error.strerror or error}); free some room, then show the folder again"
        ) from error
