"""What a report says about one picture, and its piece of the page."""

from __future__ import annotations

import html
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from .judged import Facts, is_rank_alone

if TYPE_CHECKING:
    from .report import ReportEntry
    from .thumbnails import Thumbnail

# Control characters, marks that reverse the direction of what follows, and halves of characters from undecodable file names.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CUT_LABEL = "Not read, too long:"
_LONG = 150
"""Texts above this many characters are shortened until the reader asks for all of them."""


def escape(text: object) -> str:
    """Text as it may stand between tags and in quoted attributes. Characters that command a display become visible signs."""
    return html.escape(_COMMANDS.sub("\ufffd", str(text)), quote=True)


def relative_link(path: Path | None, folder: Path) -> str:
    """A link from a page in ``folder`` to ``path``, relative and percent-encoded; empty where there can be none.

    It always begins with a dot, so that no file name can be taken for a scheme such as ``javascript:``.
    """
    if path is None:
        return ""
    try:
        relative = PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return ""
    return quote(relative if relative.startswith("../") else f"./{relative}", errors="surrogateescape")


def card_html(entry: ReportEntry, fact: Facts, thumbnail: Thumbnail | None, folder: Path) -> str:
    """One scored picture."""
    link = relative_link(entry.path, folder)
    name = escape(entry.name)
    if thumbnail is None:
        picture = '<span class="none">no preview</span>'
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
    within = f"{fact.rank_in_prompt} of {fact.scored_in_prompt}"
    lines = [
        f'<p class="scoreline"><b class="score">{fact.score:.4f}</b><span class="verdict">{verdict}</span></p>',
        _meter(fact.percentile),
        f'<p class="place">Rank <b>{fact.rank} of {fact.scored}</b><br><b>{within}</b> for its prompt</p>',
        _reason(fact.reason),
        f'<p class="name" dir="auto">{named}</p>',
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


def _meter(percentile: float) -> str:
    """The percentile as a thin bar and in words; nothing where there is none."""
    if math.isnan(percentile):
        return ""
    return (
        '<p class="percentile"><svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="100" height="1"/><rect width="{percentile:.1f}" height="1"/></svg>'
        f"Percentile <b>{percentile:.{0 if 1 <= percentile <= 99 else 1}f}</b></p>"
    )


def _reason(reason: str) -> str:
    """Why the picture was kept or rejected, unless that is its rank alone."""
    _, _, why = reason.partition(": ")
    if not why or is_rank_alone(reason):
        return ""
    return f'<p class="reason">{escape(why[0].upper() + why[1:]).replace(" %", "&nbsp;%")}</p>'


def _texts(entry: ReportEntry, fact: Facts) -> str:
    """The prompt as the scorer saw it, what of it was cut, and how it was written where that differs."""
    written = entry.written if _differs(entry.written, fact) else ""
    label = f"As written in {entry.origin}:" if entry.origin else "As written:"
    return fold(
        [("prompt", "", fact.seen), ("cut", CUT_LABEL, fact.cut), ("written", label, written)],
        f"m{fact.index}",
    )


def _differs(written: str, fact: Facts) -> bool:
    return "".join(written.split()) != "".join(f"{fact.seen}{fact.cut}".split())


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
