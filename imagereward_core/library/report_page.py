"""The frame of a report: what stands above and below its pictures."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scores import Scores
from ..weights.card import ScorerCard
from .judged import Facts
from .report_cards import escape, relative_link
from .report_histogram import histogram

if TYPE_CHECKING:
    from .report import ReportEntry

_PIECES = Path(__file__).resolve().parent / "page"
GENERATOR = "ImageReward Curator"
_OFF_REFERENCE = (
    "Off reference: these scores were made in another way than the scorer was published with, for example with the whole picture "
    "instead of its middle. Compare them with each other only. There are no percentiles for them."
)


def page_start(scores: Scores, facts: Sequence[Facts], card: ScorerCard, title: str, notice: str) -> str:
    """From the first byte to where the pictures begin."""
    style, script = _piece("report.css"), _piece("report.js")
    scored = [fact for fact in facts if fact.rank]
    prompts = len({fact.prompt for fact in scored})
    heading = title or f"{_count(len(facts), 'picture')}, best first"
    allowed = f"img-src data:; style-src {_checksum(style)}; script-src {_checksum(script)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    mark = "" if scores.on_reference else '<span class="off">off reference</span>'
    warnings = [text for text in (notice, "" if scores.on_reference else _OFF_REFERENCE) if text]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="{GENERATOR}">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(heading)}</title>
<style>{style}</style>
</head>
<body>
<header class="top">
<p class="kicker">{escape(card.title)}, weights {escape(scores.revision)}{mark}</p>
<h1>{escape(heading)}</h1>
<p class="lead">{_lead(facts, scored, prompts)}</p>
{"".join(f'<p class="notice" role="note">{escape(text)}</p>' for text in warnings)}
</header>
<section class="overview" aria-label="Overview">
{_chart(scores, scored)}
{_about(scores, card)}
</section>
{_tools(scored, prompts)}
<main id="pictures"><section class="group"><div class="grid">"""


def page_end(entries: Sequence[ReportEntry], scores: Scores, facts: Sequence[Facts], folder: Path) -> str:
    """From where the pictures end to the last byte."""
    failed = [fact for fact in facts if not fact.rank]
    return f"""</div></section></main>
<p class="nothing" hidden>No picture fits. Lower the score or show all pictures.</p>
{_failures(entries, failed, folder)}
<footer>Written by {GENERATOR}. This page is complete in itself: it can be moved, sent and opened without a network. Its links
lead to the pictures where they lay when it was written.</footer>
<script type="application/json" id="data">{json_for_page(_data(entries, scores, facts))}</script>
<script>{_piece("report.js")}</script>
</body>
</html>
"""


def json_for_page(content: Any) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or a line of the script."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@lru_cache
def _piece(name: str) -> str:
    return (_PIECES / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _checksum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lead(facts: Sequence[Facts], scored: Sequence[Facts], prompts: int) -> str:
    """The result in one sentence."""
    kept = sum(fact.kept for fact in scored)
    text = f"{_count(len(scored), 'picture')} scored for {_count(prompts, 'prompt')}"
    if kept < len(scored):
        text += f": <b>{kept} kept</b>, {len(scored) - kept} rejected"
    if len(scored) < len(facts):
        text += f'. <a href="#failures">{len(facts) - len(scored)} could not be scored</a>'
    return text + "."


def _chart(scores: Scores, scored: Sequence[Facts]) -> str:
    """The histogram with the slider below it, and its ends and middle in numbers."""
    values = [fact.score for fact in scored]
    if not values:
        return '<div class="chart"><p class="hint">There are no scores to draw.</p></div>'
    low, high, middle = min(values), max(values), statistics.median(values)
    key = ""
    if not all(fact.kept for fact in scored):
        key = '<p class="key"><span class="kept">kept</span> <span class="rejected">rejected</span></p>'
    return f"""<div class="chart">
<h2>Scores</h2>
{key}
{histogram(values, [fact.kept for fact in scored])}
<div class="slide js">
<input type="range" id="least" min="{low!r}" max="{high!r}" value="{low!r}" step="any" aria-label="Least score to show">
<output for="least" id="least-text"></output></div>
<p class="hint">Lowest {low:.4f}, median {middle:.4f}, highest {high:.4f}. Higher is better.</p>
<p class="hint">{_percentiles(scores)}</p>
</div>"""


def _percentiles(scores: Scores) -> str:
    if scores.distribution is None:
        return "These scores have no percentiles."
    return f"A percentile is the share of reference scores below a score. The reference: {escape(scores.distribution.source)}."


def _about(scores: Scores, card: ScorerCard) -> str:
    """What the number means, from the scorer's card."""
    low, high = card.typical_range
    rows = [
        ("Scorer", card.id),
        ("Weights", scores.revision),
        ("Typical scores", f"{low:.4g} to {high:.4g}"),
        (
            "Longest prompt",
            f"{card.token_limit} tokens, two of them special" if card.token_limit else "reads no prompt",
        ),
        ("Licence", card.licence),
        ("Paper", card.paper),
    ]
    facts = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    notes = "".join(f"<li>{escape(note)}</li>" for note in card.notes).replace(" %", "&nbsp;%")
    return f"""<div class="about">
<h2>What the number means</h2>
<p>{escape(card.summary)}</p>
<ul>{notes}</ul>
<details><summary>About the scorer</summary><dl>{facts}</dl></details>
</div>"""


def _tools(scored: Sequence[Facts], prompts: int) -> str:
    """The switches. Without the script there are none, and the page shows every picture by rank."""
    kept = sum(fact.kept for fact in scored)
    ways = [("prompt", "By prompt", None), ("all", "Overall", None)]
    if len(scored) < 2 * prompts:  # hardly any picture has a rival within its prompt
        ways.reverse()
    groups = _choice("group", "Group", ways) if prompts > 1 else ""
    options = [
        ("all", "All", len(scored)),
        ("kept", "Kept", kept),
        ("rejected", "Rejected", len(scored) - kept),
    ]
    shown = _choice("show", "Show", options) if 0 < kept < len(scored) else ""
    return f"""<form class="tools js" autocomplete="off" aria-label="What to show">{groups}{shown}
<label class="sort">Sort <select id="sort"><option value="best">Best first</option><option value="worst">Worst first</option>
<option value="name">File name</option><option value="input">As given</option></select></label>
<p id="count" role="status"></p></form>"""


def _choice(name: str, label: str, options: Sequence[tuple[str, str, int | None]]) -> str:
    """A row of buttons of which one is pressed."""
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" if place == 0 else ""}><span>{text}'
        f"{'' if number is None else f' <small>{number}</small>'}</span></label>"
        for place, (value, text, number) in enumerate(options)
    )
    return f'<fieldset class="choice"><legend>{label}</legend>{buttons}</fieldset>'


def _failures(entries: Sequence[ReportEntry], failed: Sequence[Facts], folder: Path) -> str:
    """The pictures without a score, with the reason for each."""
    if not failed:
        return ""
    rows = []
    for fact in failed:
        entry = entries[fact.index]
        link = relative_link(entry.path, folder)
        name = f'<a href="{link}">{escape(entry.name)}</a>' if link else escape(entry.name)
        reason = escape(fact.reason.removeprefix(f"{entry.picture}: "))
        prompt = fact.seen or entry.written
        if prompt:
            reason += f'<br><span class="prompt" dir="auto">{escape(prompt)}</span>'
        rows.append(f'<tr><th scope="row" dir="auto">{name}</th><td>{reason}</td></tr>')
    return f"""<section id="failures"><h2>Not scored</h2>
<table><thead><tr><th scope="col">Picture</th><th scope="col">Reason</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></section>"""


def _data(entries: Sequence[ReportEntry], scores: Scores, facts: Sequence[Facts]) -> dict[str, Any]:
    """What the script works on."""
    prompts: dict[int, dict[str, str]] = {}
    for fact in facts:
        prompts.setdefault(fact.prompt, {"seen": fact.seen, "cut": fact.cut})
    return {
        "scorer": scores.scorer,
        "revision": scores.revision,
        "prompts": [prompts[number] for number in sorted(prompts)],
        "pictures": [
            {
                "id": fact.index,
                "name": entries[fact.index].name,
                "score": fact.score,
                "percentile": None if math.isnan(fact.percentile) else fact.percentile,
                "rank": fact.rank,
                "prompt": fact.prompt,
                "kept": fact.kept,
            }
            for fact in facts
            if fact.rank
        ],
    }
