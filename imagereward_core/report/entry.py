"""One picture of a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..images.decode import ImageSource


@dataclass(frozen=True)
class ReportEntry:
    """One picture of a report; empty or None where nothing is known.

    Attributes:
        name: What the picture is called on the page.
        picture: What its thumbnail is made from.
        path: The file that its thumbnail links to.
        written: Its prompt as somebody wrote it, before generator syntax was removed.
        origin: Where the prompt was found, in words that may follow "written in": ``the picture's metadata``.
        note: One more line below the picture.
        stars: What a person gave it, 0..5.
        model, loras, seed: The checkpoint that made it, the LoRAs that were used, and the seed as text.
        bucket: The bucket it falls into.
    """

    name: str
    picture: ImageSource | None = None
    path: Path | None = None
    written: str = ""
    origin: str = ""
    note: str = ""
    stars: int | None = None
    model: str = ""
    loras: tuple[str, ...] = ()
    seed: str = ""
    bucket: str = ""
