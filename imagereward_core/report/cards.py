"""The card of one picture on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .contents import written_otherwise
from .html_text import escape, relative_link
from .rows import Facts, is_rank_alone

if TYPE_CHECKING:
    from .contents import ReportEntry
    from .thumbnails import Thumbnail

CUT_LABEL = "Not read, too long:"
_LONG = 150
"""Texts above this many characters are shortened until the reader asks for all of them."""


def card_html(
    entry: ReportEntry,
    fact: Facts,
    thumbnail: Thumbnail | None,
    folder: Path,
    own: float = math.nan,
    linked: bool = False,
) -> str:
    """One scored picture on a page in ``folder``, at which links begin.

    ``own`` is the share of the user's own scores below its score, 0..100, NaN where unknown; ``linked`` says that the page has no room for
    its thumbnail, so that its file is to be opened instead.
    """
    link = relative_link(entry.path, folder)
    name = escape(entry.name)
    if thumbnail is None:
        picture = f'<span class="none">{"open the file" if linked and link else "no preview"}</span>'
    else:
        picture = (
            f'<img src="{thumbnail.uri}" width="{thumbnail.width}" height="{thumbnail.height}" alt="{name}" loading="lazy" '
            'decoding="async">'
        )
    opening, closing = (
        (f'<a class="frame" href="{link}">', "</a>") if link else ('<span class="frame">', "</span>")
    )
    named = f'<a href="{link}">{name}</a>' if link else name
    verdict = "kept" if fact.kept else "rejected"
    within = f"{fact.rank_in_prompt:,} of {fact.scored_in_prompt:,}"
    lines = [
        f'<p class="scoreline"><b class="score">{fact.score:.4f}</b><span class="verdict">{escape(entry.bucket) or verdict}</span></p>',
        _stars(entry.stars),
        _meter(fact.percentile, own),
        f'<p class="place">Rank <b>{fact.rank:,} of {fact.scored:,}</b><br><b>{within}</b> for its prompt</p>',
        _reason(fact.reason),
        f'<p class="name" dir="auto">{named}</p>',
        _made(entry),
        f'<p class="note">{escape(entry.note)}</p>' if entry.note else "",
        _texts(entry, fact),
    ]
    return f"""
<article class="card {verdict}" id="p{fact.index}">
{opening}{picture}{closing}
<span class="badge" title="Rank {fact.rank}; {within} for its prompt"><i class="all">{fact.rank}</i>\
<i class="own">{fact.rank_in_prompt}</i></span>
{"".join(lines)}
</article>
"""


def _stars(stars: int | None) -> str:
    """The stars a person gave the picture; nothing where nobody did."""
    if stars is None:
        return ""
    return f'<p class="stars" role="img" aria-label="{stars} of 5 stars">{"★" * stars}<i>{"★" * (5 - stars)}</i></p>'


def _meter(percentile: float, own: float) -> str:
    """The percentiles: a thin bar, and words; nothing where there are none."""
    bar, lines = "", []
    if not math.isnan(percentile):
        bar = (
            '<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="100" height="1"/><rect width="{percentile:.1f}" height="1"/></svg>'
        )
        lines.append(f"Percentile <b>{_rounded(percentile)}</b>")
    if not math.isnan(own):
        lines.append(f"Own percentile <b>{_rounded(own)}</b>")
    return f'<p class="percentile">{bar}{"<br>".join(lines)}</p>' if lines else ""


def _rounded(percentile: float) -> str:
    return f"{percentile:.{0 if 1 <= percentile <= 99 else 1}f}"


def _made(entry: ReportEntry) -> str:
    """How the picture was made, as far as that is known."""
    parts = [("Model", entry.model), ("LoRA", ", ".join(entry.loras)), ("Seed", entry.seed)]
    lines = [f'<small>{name}</small> <span dir="auto">{escape(text)}</span>' for name, text in parts if text]
    return f'<p class="made">{"<br>".join(lines)}</p>' if lines else ""


def _reason(reason: str) -> str:
    """Why the picture was kept or rejected, unless that is its rank alone."""
    _, _, why = reason.partition(": ")
    if not why or is_rank_alone(reason):
        return ""
    return f'<p class="reason">{escape(why[0].upper() + why[1:]).replace(" %", "&nbsp;%")}</p>'


def _texts(entry: ReportEntry, fact: Facts) -> str:
    """The prompt as the scorer saw it, what of it was cut, and how it was written where that differs."""
    written = entry.written if written_otherwise(entry.written, fact) else ""
    label = f"As written in {entry.origin}:" if entry.origin else "As written:"
    return fold(
        [("prompt", "", fact.seen), ("cut", CUT_LABEL, fact.cut), ("written", label, written)],
        f"m{fact.index}",
    )


def fold(parts: Sequence[tuple[str, str, str]], name: str) -> str:
    """Paragraphs of (class, label, text) that are shortened, with a switch to show all of them, where one is long."""
    lines = []
    for kind, label, text in parts:
        if text:
            head = f"<small>{escape(label)}</small> " if label else ""
            lines.append(f'<p class="{kind}" dir="auto">{head}<span>{escape(text)}</span></p>')
    if not any(len(text) > _LONG for _, _, text in parts):
        return f'<div class="texts">{"".join(lines)}</div>'
    kinds = " ".join(f"long-{kind}" for kind, _, text in parts if len(text) > _LONG)
    texts = f'<input type="checkbox" class="more" id="{name}"><div class="texts short">{"".join(lines)}</div>'
    return f'{texts}<label for="{name}" class="more {kinds}"></label>'
