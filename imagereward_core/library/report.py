"""One self-contained page about a batch of scored pictures: opens from a folder, without a network and without a server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..scores import Scores
from ..selection import Selection
from ..weights.card import ScorerCard
from .atomic import replacing
from .judged import Facts, PictureFacts
from .report_cards import card_html
from .report_page import page_end, page_start
from .thumbnails import thumbnail_side, thumbnails

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
    """

    name: str
    picture: ImageSource | None = None
    path: Path | None = None
    written: str = ""
    origin: str = ""
    note: str = ""


def write_report(
    path: str | os.PathLike[str],
    entries: Sequence[ReportEntry],
    scores: Scores,
    selection: Selection,
    card: ScorerCard,
    title: str = "",
    notice: str = "",
) -> Path:
    """Writes the page. It appears complete or not at all, and replaces an earlier one.

    Everything is inside the one file: thumbnails, style and script. Thumbnails are decoded and written one after another, so
    memory does not grow with the number of pictures.

    Args:
        path: The page to write, usually ending in ``.html``. Links to pictures are relative to its folder.
        entries: One per score, in the order of the scores.
        scores: The scores.
        selection: What was kept of them, from :func:`~imagereward_core.selection.select`.
        card: The card of the scorer.
        title: Heading; by default the number of pictures.
        notice: A warning at the top of the page, for example that the weights are random.

    Raises:
        ValueError: Entries, scores and selection are of different lengths.
        OSError: The page cannot be written.
    """
    if not len(entries) == len(scores) == len(selection.order):
        raise ValueError(
            f"{len(entries)} entries, {len(scores)} scores and a selection among {len(selection.order)}; expected one of each per "
            "picture"
        )
    target = Path(path)
    facts = list(PictureFacts(scores, selection))
    with (
        replacing(target) as temporary,
        # The page's security policy holds checksums of its script and style, so line ends must stay as they are here.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.write(page_start(scores, facts, card, title, notice))
        for piece in _pictures(entries, facts, target.parent):
            file.write(piece)
        file.write(page_end(entries, scores, facts, target.parent))
    return target


def _pictures(entries: Sequence[ReportEntry], facts: Sequence[Facts], folder: Path) -> Iterator[str]:
    """The scored pictures from best to worst."""
    shown = sorted((fact for fact in facts if fact.rank), key=lambda fact: (fact.rank, fact.index))
    sources = [entries[fact.index].picture for fact in shown]
    for fact, thumbnail in zip(shown, thumbnails(sources, thumbnail_side(len(shown))), strict=True):
        yield card_html(entries[fact.index], fact, thumbnail, folder)
