"""One picture of a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..images.decode import ImageSource


@dataclass(frozen=True)
class ReportEntry:
    """One picture of a report.

    Attributes:
        name: What the picture is called on the page.
        picture: What its thumbnail is made from; None where there is nothing to show.
        path: The file that its thumbnail links to; None for a picture without a file.
        written: Its prompt as somebody wrote it, before generator syntax was removed; empty where there is none.
        origin: Where the prompt was found, in words that may follow "written in": ``the picture's metadata``.
        note: One more line below the picture.
        stars: What a person gave it, 0..5; None where nobody gave anything.
        model: The checkpoint that made it; empty where that is not known.
        loras: LoRAs that were used.
        seed: The seed, as text.
        bucket: The bucket it falls into; empty where there are none.
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
