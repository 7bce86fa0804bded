"""What a reader of one format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..notes import Notes
from ..ranking import Ranking

Read = Callable[[Path, Notes], Iterator[Ranking]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format that others publish, and its reader.

    Attributes:
        name: What it is called in options.
        title: What it is, in a few words.
        recognise: Whether a file or folder is of this format, by its content.
        read: Its rankings, one after another; what is wrong with one is noted, and the rest goes on.
        folder: The folder of images, where none is named.
    """

    name: str
    title: str
    recognise: Callable[[Path], bool]
    read: Read
    folder: Callable[[Path], Path] = lambda path: path if path.is_dir() else path.parent
