"""An evaluation as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from imagereward_core.plain import count_of
from imagereward_core.report.frame import GENERATOR, asset, frame_start
from imagereward_core.report.html_text import escape, json_for_page
from imagereward_core.report.replace import replacing

from .document import Drawing, Evaluation, Section, Table
from .drawings import MISSING, can_draw, data_uri
from .write import document

_MOST_FAILURES = 1000


def write_page(
    path: Path,
    evaluation: Evaluation,
    sheets: Sequence[str] = (),
    overwrite: bool = False,
    draw: Callable[[Drawing], str] | None = None,
) -> None:
    """Writes the page. It appears complete or not at all, and replaces an earlier one of this program.

    Args:
        path: The page to write.
        evaluation: What was found.
        sheets: Sections with pictures, as HTML.
        overwrite: Whether a file that this program did not write may be replaced.
        draw: Makes the address of a drawing; by default matplotlib where it is installed.

    Raises:
        OutputFileError: There is a file already that must stay.
        OSError: The page cannot be written.
    """
    draw = draw or (data_uri if can_draw() else None)
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.write(frame_start(evaluation.title, asset("report.css") + asset("figures.css")))
        notices = [
            *evaluation.warnings,
            *([MISSING] if draw is None and any(each.drawings for each in evaluation.sections) else []),
        ]
        warnings = "".join(f'<p class="notice" role="note">{escape(text)}</p>' for text in notices)
        file.write(
            f'<header class="top">\n<p class="kicker">{evaluation.command}</p>\n<h1>{escape(evaluation.title)}</h1>\n{warnings}</header>\n'
        )
        file.write(_facts(evaluation))
        for section in evaluation.sections:
            file.write(_section(section, draw))
        file.writelines(sheets)
        file.write(_failures(evaluation))
        file.write(
            f"<footer>Written by {GENERATOR}. This page is complete in itself: it can be moved, sent and opened without a network. Its "
            "data are inside, as JSON.</footer>\n"
        )
        data = json_for_page(document(evaluation))
        file.write(f'<script type="application/json" id="data">{data}</script>\n</body>\n</html>\n')


def _facts(evaluation: Evaluation) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value)}</dd>"
        for name, value in evaluation.facts.items()
        if value not in ("", [], ())
    )
    return f'<section class="figures facts"><h2>What was measured</h2><dl>{rows}</dl></section>\n'


def _section(section: Section, draw: Callable[[Drawing], str] | None) -> str:
    sentences = "".join(f"<li>{escape(text)}</li>" for text in section.sentences)
    pictures = (
        "".join(
            f'<figure class="drawing"><img src="{draw(each)}" alt="{escape(each.title)}"></figure>'
            for each in section.drawings
        )
        if draw is not None
        else ""
    )
    return (
        f'<section class="figures" id="{section.key}"><h2>{escape(section.title)}</h2>\n<p class="hint">{escape(section.lead)}</p>\n'
        f"{''.join(_table(table) for table in section.tables)}{f'<ul>{sentences}</ul>' if sentences else ''}\n{pictures}</section>\n"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in table.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>' if at < table.texts else f"<td>{escape(cell)}</td>"
            for at, cell in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _failures(evaluation: Evaluation) -> str:
    if not evaluation.failures:
        return ""
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape(each.image)}</th><td>{escape(each.scorer)}</td>'
        f'<td class="words">{escape(each.reason)}<br><span class="prompt" dir="auto">{escape(each.prompt)}</span></td></tr>'
        for each in evaluation.failures[:_MOST_FAILURES]
    )
    further = len(evaluation.failures) - _MOST_FAILURES
    more = f'<p class="hint">And {count_of(further, "more")}.</p>' if further > 0 else ""
    return (
        '<section class="figures" id="failures"><h2>Not scored</h2>\n'
        f'<p class="hint">{escape(evaluation.without)}</p>\n'
        '<table class="failures"><thead><tr><th scope="col">Picture</th><th scope="col">Scorer</th><th scope="col">Reason</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}</section>\n"
    )
