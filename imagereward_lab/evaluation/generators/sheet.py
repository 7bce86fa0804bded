"""The best picture of every generator side by side, as a section of the page."""

from __future__ import annotations

from collections.abc import Iterator

from imagereward_core.report.html_text import escape

from ..scoring import Images
from ..sheet import ROOM, picture_html
from .results import Compared


def sheets(compared: Compared, images: Images, prompts: int) -> Iterator[str]:
    """Sections of a page, one for each of the first ``prompts`` prompts that are compared."""
    room = ROOM
    yield (
        '<section class="figures" id="sheet"><h2>Best picture of each generator</h2>\n<p class="hint">For each prompt the picture of each '
        "generator that the scorer likes best, with its score. There is one row for each scorer.</p></section>\n"
    )
    for row, ranking in enumerate(compared.scored.rankings[:prompts]):
        made: dict[str, str] = {}
        lines = []
        for result in compared.results:
            cells = []
            for column, generator in enumerate(compared.generators):
                name = ranking.images[int(result.best_at[row, column])]
                if name not in made:
                    made[name] = picture_html(images, name) if room > 0 else ""
                    room -= len(made[name])
                shown = made[name] or '<span class="none"></span>'
                score = f"{result.best[row, column]:.4f}"
                cells.append(f"<figure>{shown}<figcaption>{escape(generator)}: {score}</figcaption></figure>")
            lines.append(f'<tr><th scope="row">{escape(result.scorer)}</th><td>{"".join(cells)}</td></tr>')
        yield (
            f'<section class="figures sheet"><h2 dir="auto">{escape(ranking.prompt)}</h2>\n<div class="scroll"><table><tbody>'
            f"{''.join(lines)}</tbody></table></div></section>\n"
        )
