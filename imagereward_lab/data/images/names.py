"""Names of images in a data set: relative, with slashes, and never out of the folder of images.

A name is one of:

- ``sub/a.png``: a file, relative to the folder of images;
- ``shard.parquet#12/jpg_0``: row 12 (the first is 0), column ``jpg_0`` of a Parquet file;
- ``shard.zip#sub/a.png``: a member of a ZIP archive.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from imagereward_core.errors import ImageError
from imagereward_core.files.devices import is_device
from imagereward_core.plain import plain

_DRIVE = re.compile(r"[A-Za-z]:")
_PACKED = re.compile(r"(?P<file>.+?\.(?P<kind>parquet|zip))#(?P<inside>.+)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class OutsideError(ImageError):
    """A name, or a link on the way, is not one of a picture in the folder."""


def problem_of(name: str) -> str:
    """Why a name cannot be one of a picture in a folder; empty where it can.

    >>> problem_of("sub/a.png"), problem_of("../a.png").split(";")[0]
    ('', 'found a name that leads out of the folder of images')
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name in (".", "./"):
        return "found an empty name; expected a name of a picture"
    if "\0" in name:
        return "found a zero byte in a name; expected a name of a picture"
    if _SCHEME.match(name):
        return "found an address; expected a name of a picture on this computer. Download it first"
    if parts[0].startswith("/") or _DRIVE.match(name):
        return "found an absolute path; expected a name inside the folder of images. Name a folder that holds it with --images"
    if ".." in parts:
        return "found a name that leads out of the folder of images; expected one inside it. Name a folder above with --images"
    if os.name == "nt" and any(is_device(part) or ":" in part for part in parts):
        return "found a name that Windows keeps for a device or a stream; expected a name of a picture"
    return ""


def packed(name: str) -> tuple[str, str, str] | None:
    """File, kind (``parquet`` or ``zip``) and place inside it of a picture in a larger file; None for a file of its own.

    >>> packed("a/b.parquet#3/jpg_0"), packed("a.png")
    (('a/b.parquet', 'parquet', '3/jpg_0'), None)
    """
    found = _PACKED.fullmatch(name)
    return (found["file"], found["kind"].lower(), found["inside"]) if found else None


def relative(root: Path, name: str) -> str:
    """The name relative to ``root`` of a file that is named by its whole path and lies there; any other name as it is."""
    if not Path(name).is_absolute():
        return name
    for home in (root.absolute(), Path(os.path.realpath(root))):
        try:
            below = Path(os.path.normpath(name)).relative_to(home)
        except ValueError:
            continue
        return below.as_posix() if below.parts else name
    return name


class ImageFolder:
    """The folder of images: finds files in it by name, links followed, and none outside of it.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._homes: tuple[str, ...] = ()
        self._real: dict[str, str] = {}

    def path(self, name: str) -> Path:
        """The file that ``name`` means, whether or not it is there.

        Raises:
            OutsideError: The name, or a link on the way, leads out of the folder.
        """
        name = relative(self.root, name)
        problem = problem_of(name)
        if problem:
            raise OutsideError(f"{plain(name)}: {problem}")
        literal = os.path.join(self.root, name)  # noqa: PTH118 (of a million names)
        # On other systems a backslash may be part of a name; data sets made on Windows have it between folders.
        if "\\" in name and not os.path.lexists(literal):
            literal = os.path.join(self.root, name.replace("\\", "/"))  # noqa: PTH118
        real = self._followed(literal)
        self._homes = self._homes or _homes(self.root)
        if not real.startswith(self._homes):
            raise OutsideError(
                f"{plain(name)}: found a link that leads out of the folder of images; expected a file inside it. "
                "Copy the picture there, or name with --images a folder that holds both"
            )
        return Path(real)

    def _followed(self, path: str) -> str:
        """The path without links. A folder is asked once, as there are many files in it."""
        if os.path.islink(path):  # noqa: PTH114
            return os.path.realpath(path)
        folder, file = os.path.split(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return os.path.join(self._real[folder], file)  # noqa: PTH118


def _homes(root: Path) -> tuple[str, ...]:
    """The beginnings of paths of images: of those in the folder and, in the cache of Hugging Face, of what its links lead to.

    There a data set lies in ``NAME/snapshots/REVISION``, as links to files in ``NAME/blobs``.
    """
    home = Path(os.path.realpath(root))
    blobs = [above.parent / "blobs" for above in home.parents if above.name == "snapshots"]
    return tuple(f"{str(each).rstrip(os.sep)}{os.sep}" for each in (home, *blobs[:1]))
