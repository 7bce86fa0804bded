"""A part of the server: routes, files, texts and pictures of one page or several, below one name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fastapi import APIRouter

Texts = Mapping[str, Mapping[str, str]]
"""Texts of pages by key, each in every language: ``{"keep": {"en": "Keep", "zh": "保留"}}``."""


class Pictures(Protocol):
    """Pictures that a part shows, by ids that say nothing about where they lie. Both are asked in threads."""

    lasting: bool
    """Whether an id stands for one state of one file for good, so that browsers need not ask again."""

    def folders(self) -> Sequence[Path]:
        """Folders in which they lie; what a link leads out of them to is not sent."""
        ...

    def find(self, picture: str) -> Path | None:
        """The file of an id; None for one that was never given out. Raises nothing, whatever the text is."""
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part.

    Attributes:
        name: Where it lies, as ``/NAME/``: small letters.
        router: Its routes, as seen from there; ``GET ""`` (``/NAME``) is its first page. A route gets who asks by :func:`.access.person`.
        files: Files, and folders whose files, lie below ``/static/NAME/``; the first of a name wins.
        texts: Its texts for pages, in the languages of :data:`.texts.LANGUAGES`.
        pictures: What lies at ``/NAME/pictures/small/ID`` and ``/large/ID``; None for nothing.
        bare_pictures: Whether pictures are sent as their pixels alone: files tell how they were made.
        begin, end: Called when the server has begun to listen, and when it ends; for threads of its own.
    """

    name: str
    router: APIRouter
    files: Sequence[Path] = ()
    texts: Texts | None = None
    pictures: Pictures | None = None
    bare_pictures: bool = False
    begin: Callable[[], None] = lambda: None
    end: Callable[[], None] = lambda: None
