"""Where the images of a data set are read from, by name; see :mod:`.names` for what a name may be."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.errors import ImageError
from imagereward_core.files.regular import NotAFileError, kind_of, open_regular
from imagereward_core.images.decode import not_a_file, open_bytes, open_image
from imagereward_core.plain import plain

from .names import ImageFolder, packed
from .packed import ParquetColumns, ZipMembers

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 512 * 2**20
"""Bytes of one picture as a file; what claims more is no picture somebody made."""


class MissingImageError(ImageError):
    """There is no such picture in the folder."""


class ImageSource:
    """Images of a data set by name, read one at a time. Nothing outside the folder is ever opened.

    May be used by several threads; pickles (for loaders in other processes) as its folder alone.

    Args:
        root: The folder of images.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = ImageFolder(root)
        self._parquet, self._zip = ParquetColumns(), ZipMembers()

    def __repr__(self) -> str:
        return f"ImageSource({str(self.root)!r})"

    def __getstate__(self) -> Path:
        return self.root

    def __setstate__(self, root: Path) -> None:
        self.__init__(root)  # type: ignore[misc]

    def open(self, name: str) -> Image.Image:
        """A picture, its pixels loaded.

        Raises:
            ImageError: It is missing, unreadable, no picture, or its name leads out of the folder.
        """
        if packed(name) is None:
            return open_image(self.path(name))
        return open_bytes(self.read(name), name)

    def read(self, name: str) -> bytes:
        """The bytes of a picture's file.

        Raises:
            ImageError: It is missing, cannot be read, is larger than ``MOST_BYTES``, or its name leads out of the folder.
        """
        parts = packed(name)
        try:
            if parts is None:
                with open_regular(self.path(name)) as stream:
                    data = stream.read(MOST_BYTES + 1)
            else:
                file, kind, place = parts
                packer = self._parquet if kind == "parquet" else self._zip
                data = packer.read(self._folder.path(file), place, MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingImageError(
                f"{plain(name)}: no such file in {self.root}; expected a picture. Put it there, or name with --images where the "
                "pictures are"
            ) from error
        except NotAFileError as error:
            raise ImageError(not_a_file(plain(name), error)) from error
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise ImageError(
                f"{plain(name)}: cannot be read ({error}); expected a picture. Check the file"
            ) from error
        if len(data) > MOST_BYTES:
            raise ImageError(f"{plain(name)}: found more than {MOST_BYTES:,} bytes; expected a picture")
        return data

    def path(self, name: str) -> Path:
        """The file of a picture that is a file of its own.

        Raises:
            ImageError: The name leads out of the folder.
        """
        return self._folder.path(name)

    def presence(self, name: str) -> tuple[str, str]:
        """Looks for a picture: ``missing``, ``empty`` or ``unreadable`` and why; two empty texts where it is there.

        Whether a picture inside of a larger file is there shows only when it is read; here that file is looked for.

        Raises:
            OutsideError: The name leads out of the folder.
        """
        parts = packed(name)
        file = self._folder.path(parts[0] if parts else name)
        try:
            facts = file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "missing", f"no such file in {self.root}"
        except (OSError, ValueError) as error:
            return "unreadable", f"cannot be looked at ({error})"
        if kind := kind_of(facts.st_mode):
            return "unreadable", f"found {kind}; expected a picture"
        return ("", "") if facts.st_size else ("empty", "0 bytes")

    def size(self, name: str) -> int:
        """Bytes of the file a picture is in: its own, or the larger one that holds it; -1 where it is missing."""
        parts = packed(name)
        try:
            return self._folder.path(parts[0] if parts else name).stat().st_size
        except (OSError, ImageError, ValueError):
            return -1
