"""Writes one self-contained page about scored pictures: it opens from a folder, without network and server."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..scorers.meaning import percentiles_in_history
from ..scores import FloatArray, Scores
from ..selection import Selection
from ..weights.card import ScorerCard
from .cards import card_html
from .contents import AT_ONCE, CARDS_IN_BLOCK, Contents, ReportEntry
from .page import page_end, page_middle, page_start
from .replace import replacing
from .rows import Facts, PictureFacts
from .size import LARGEST_PAGE, bytes_of, embedded, fitted, side_for
from .thumbnails import NO_ROOM, Thumbnail


def write_report(
    path: str | os.PathLike[str],
    entries: Sequence[ReportEntry],
    scores: Scores,
    selection: Selection,
    card: ScorerCard,
    title: str = "",
    notice: str = "",
    *,
    most: int | None = None,
    kept_only: bool = False,
    history: Sequence[float] | FloatArray = (),
    progress: Callable[[int, int], None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes the page. It appears complete or not at all, and replaces an earlier one of this program.

    Everything is inside the one file: thumbnails, style and script. Thumbnails are decoded and written one after another, so
    memory does not grow with the number of pictures. The page stays below 50 MB: where there are too many pictures thumbnails are
    smaller, then only the best have one and the others a link to their file, which the page says; in the end fewer are shown.

    Args:
        path: The page to write, usually ending in ``.html``. Links to pictures are relative to its folder.
        entries: One per score, in the order of the scores.
        scores: The scores.
        selection: What was kept of them.
        card: The card of the scorer.
        title: Heading; by default the number of pictures.
        notice: A warning at the top of the page, for example that the weights are random.
        most: Show at most so many of the best pictures, None for all; histogram and box plots count all of them.
        kept_only: Show only what was kept; the drawings count all.
        history: All own scores by the scorer, to say where each picture stands among them.
        progress: Told after each picture how many are written, and how many there will be.
        overwrite: Whether a file that this program did not write may be replaced; a picture never is.

    Raises:
        ValueError: Entries, scores and selection are of different lengths.
        OutputFileError: There is a file already that must stay.
        OSError: The page cannot be written.
    """
    if not len(entries) == len(scores) == len(selection.order):
        raise ValueError(
            f"{len(entries)} entries, {len(scores)} scores and a selection among {len(selection.order)}; expected one of each per "
            "picture"
        )
    target = Path(path)
    own = percentiles_in_history(scores.values, history)
    contents = Contents(entries, scores, list(PictureFacts(scores, selection)), own, most, kept_only)
    known = 0 if np.isnan(own).all() else int(np.count_nonzero(~np.isnan(np.asarray(history))))

    def frame(held: Contents) -> int:
        ends = page_start(held, card, title, notice, known), page_end(held, target.parent, 0)
        return sum(map(bytes_of, (*ends, page_middle(held))))

    contents, text = fitted(
        contents, lambda fact: _card(contents, fact, NO_ROOM, target.parent), frame, LARGEST_PAGE
    )
    with (
        replacing(target, overwrite=overwrite) as temporary,
        # The page's security policy holds checksums of its script and style, so line ends must stay as they are here.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.write(page_start(contents, card, title, notice, known))
        sources = [entries[fact.index].picture for fact in contents.shown]
        room = LARGEST_PAGE - text
        small = embedded(sources, side_for(sources, room), room)
        inside = 0
        for number, fact in enumerate(contents.shown, start=1):
            thumbnail = next(small, NO_ROOM)
            inside += thumbnail is not NO_ROOM
            file.write(_block(contents, number - 1, _card(contents, fact, thumbnail, target.parent)))
            if progress is not None:
                progress(number, len(contents.shown))
        file.write(page_end(contents, target.parent, inside))
    return target


def _card(contents: Contents, fact: Facts, small: Thumbnail | None, folder: Path) -> str:
    linked = small is NO_ROOM
    own = float(contents.own[fact.index])
    return card_html(contents.entries[fact.index], fact, None if linked else small, folder, own, linked)


def _block(contents: Contents, place: int, card: str) -> str:
    """A card as it stands at its place: the first as they are, the others as text in blocks for the page's script."""
    number, within = divmod(place - AT_ONCE, CARDS_IN_BLOCK)
    if number < 0:
        return card
    before = after = ""
    if not within:
        before = f'{"" if number else page_middle(contents)}<script type="text/plain" class="cards">'
    if within == CARDS_IN_BLOCK - 1 or place == len(contents.shown) - 1:
        after = "</script>\n"
    return f"{before}{card}{after}"
