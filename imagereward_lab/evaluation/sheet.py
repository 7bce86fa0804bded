"""Each scorer's best pictures of a prompt side by side (arXiv 2304.05977, Figures 13 and 17 to 20), as a section of the page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagereward_core.errors import ImageError
from imagereward_core.report.html_text import escape
from imagereward_core.report.thumbnails import thumbnail

from .scoring import Images, ScoredRankings, picture_of

BEST = 3
SIDE = 192
ROOM = 40_000_000
"""Bytes of pictures in a page; what comes after has its numbers alone."""


def sheets(scored: ScoredRankings, images: Images, prompts: int) -> Iterator[str]:
    """Sections of a page, one for each of the first ``prompts`` prompts with pictures that were scored."""
    room, seen = ROOM, set()
    yield (
        '<section class="figures" id="sheet"><h2>Best pictures of each scorer</h2>\n<p class="hint">For each prompt the '
        f"{BEST} pictures that each scorer likes best, best first, with its score and the rank that people gave.</p></section>\n"
    )
    for number, ranking in enumerate(scored.rankings):
        values = scored.of(number)
        if ranking.prompt in seen or np.isnan(values).all():
            continue
        seen.add(ranking.prompt)
        made: dict[int, str] = {}
        rows = []
        for scorer, row in zip(scored.scorers, values):
            order = [at for at in np.argsort(-row, kind="stable").tolist() if not np.isnan(row[at])][:BEST]
            cells = []
            for at in order:
                if at not in made:
                    made[at] = picture_html(images, ranking.images[at]) if room > 0 else ""
                    room -= len(made[at])
                rank = f", people: {ranking.order[at]}" if ranking.ranks and ranking.order[at] else ""
                shown = made[at] or '<span class="none"></span>'
                cells.append(f"<figure>{shown}<figcaption>{row[at]:.4f}{rank}</figcaption></figure>")
            rows.append(f'<tr><th scope="row">{escape(scorer)}</th><td>{"".join(cells)}</td></tr>')
        yield (
            f'<section class="figures sheet"><h2 dir="auto">{escape(ranking.prompt)}</h2>\n<div class="scroll"><table><tbody>'
            f"{''.join(rows)}</tbody></table></div></section>\n"
        )
        if len(seen) == prompts:
            return


def picture_html(images: Images, name: str) -> str:
    """A small copy of a picture as a tag; empty where it cannot be shown."""
    try:
        small = thumbnail(picture_of(images, name), SIDE)
    except ImageError:
        return ""
    if small is None:
        return ""
    return f'<img src="{small.uri}" width="{small.width}" height="{small.height}" alt="{escape(name)}" loading="lazy">'
