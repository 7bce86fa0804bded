"""The frame of a report: all that stands above and below its pictures."""

from __future__ import annotations

import base64
import hashlib
import statistics
from functools import lru_cache
from pathlib import Path

from ..images.decode import source_name
from ..plain import count_of
from ..scores import Scores
from ..weights.card import ScorerCard
from .boxes import box_plot
from .contents import AT_ONCE, Contents
from .filters import choice_html, tools_html
from .histogram import histogram
from .html_text import escape, json_for_page, relative_link

_PIECES = Path(__file__).resolve().parent / "assets"
GENERATOR = "ImageReward Curator"
_MOST_FAILURES = 1000
_OFF_REFERENCE = (
    "Off reference: these scores were made in another way than the scorer was published with, for example with the whole picture "
    "instead of its middle. Compare them with each other only. There are no percentiles for them."
)


def page_start(contents: Contents, card: ScorerCard, title: str, notice: str, history: int) -> str:
    """From the first byte to where the pictures begin.

    ``title`` is by default the number of pictures, ``notice`` a warning; own percentiles rest on ``history`` scores, 0 for none.
    """
    scores = contents.scores
    style, script = _piece("report.css"), _piece("report.js")
    heading = title or f"{count_of(len(contents.facts), 'picture')}, best first"
    allowed = f"img-src data:; style-src {_checksum(style)}; script-src {_checksum(script)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    mark = "" if scores.on_reference else '<span class="off">off reference</span>'
    warnings = [text for text in (notice, "" if scores.on_reference else _OFF_REFERENCE) if text]
    many = ' class="many"' if len(contents.shown) > AT_ONCE else ""
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
<p class="lead">{_lead(contents)}</p>
{"".join(f'<p class="notice" role="note">{escape(text)}</p>' for text in warnings)}
</header>
<section class="overview" aria-label="Overview">
{_chart(contents, history)}
{_about(scores, card)}
</section>
{_boxes(contents, card)}
{tools_html(contents)}
<main id="pictures"{many}><section class="group"><div class="grid">"""


def page_middle(contents: Contents) -> str:
    """Where cards that the script makes when they are looked at begin; and what a reader without scripts reads about them."""
    hidden = len(contents.shown) - AT_ONCE
    return f"""</div></section></main>
<noscript><p class="nothing">The best {AT_ONCE} pictures are shown. The other {hidden:,} need this page's script.</p></noscript>
"""


def page_end(contents: Contents, folder: Path, inside: int) -> str:
    """From where the pictures end to the last byte; ``inside`` of them, the best first, have small pictures, the others are links."""
    closed = "" if len(contents.shown) > AT_ONCE else "</div></section></main>"
    return f"""{closed}
<p class="nothing" id="nothing" hidden>No picture fits. Lower the score, clear a filter or show all pictures.</p>
<button type="button" id="further" class="js" hidden>Show more</button>
{_failures(contents, folder)}
<footer>Written by {GENERATOR}. {_inside(contents, inside)} Its links
lead to the pictures where they lay when it was written.</footer>
<script type="application/json" id="data">{json_for_page(contents.data())}</script>
<script>{_piece("report.js")}</script>
</body>
</html>
"""


def _inside(contents: Contents, inside: int) -> str:
    """Says how many of the pictures are in the page."""
    number = len(contents.shown)
    if inside >= number:
        return "This page is complete in itself: it can be moved, sent and opened without a network."
    return (
        f'<b id="inside">Small pictures of the best {inside:,} are inside this page. The other {number - inside:,} are links to their '
        "files</b>, so that the page stays below 50 MB; fewer pictures on a page are all inside."
    )


@lru_cache
def _piece(name: str) -> str:
    return (_PIECES / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _checksum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _lead(contents: Contents) -> str:
    """The result in one sentence."""
    scored, shown = len(contents.scored), len(contents.shown)
    kept = sum(fact.kept for fact in contents.scored)
    prompts = len({fact.prompt for fact in contents.scored})
    text = f"{count_of(scored, 'picture')} scored for {count_of(prompts, 'prompt')}"
    if kept < scored:
        text += f": <b>{kept:,} kept</b>, {scored - kept:,} rejected"
    if contents.failed:
        text += f'. <a href="#failures">{len(contents.failed):,} could not be scored</a>'
    if shown < scored:
        which = f"best {shown:,}" if shown < kept or not contents.kept_only else "kept"
        text += f". The {which} are shown; the drawings count all"
    return text + "."


def _chart(contents: Contents, history: int) -> str:
    """The histogram with the sliders below it, and its ends and middle in numbers."""
    values = [fact.score for fact in contents.scored]
    if not values:
        return '<div class="chart"><p class="hint">There are no scores to draw.</p></div>'
    low, high, middle = min(values), max(values), statistics.median(values)
    key = ""
    if not all(fact.kept for fact in contents.scored):
        key = '<p class="key"><span class="kept">kept</span> <span class="rejected">rejected</span></p>'
    ends = f'min="{low!r}" max="{high!r}" step="any"'
    own = ""
    if history:
        own = f'<p class="hint">An own percentile is the share of your own {history:,} scores by this scorer below a score.</p>'
    return f"""<div class="chart">
<h2>Scores</h2>
{key}
{histogram(values, [fact.kept for fact in contents.scored])}
<div class="slide js"><div class="track">
<input type="range" id="least" {ends} value="{low!r}" aria-label="Least score to show">
<input type="range" id="most" {ends} value="{high!r}" aria-label="Highest score to show"></div>
<output for="least most" id="range-text"></output></div>
<p class="hint">Lowest {low:.4f}, median {middle:.4f}, highest {high:.4f}. Higher is better.</p>
<p class="hint">{_percentiles(contents.scores)}</p>
{own}</div>"""


def _boxes(contents: Contents, card: ScorerCard) -> str:
    """Box plots by whatever tells the pictures apart."""
    plots = {
        (kind, noun): plot
        for kind, noun in (("model", "model"), ("lora", "LoRA"), ("prompt", "prompt"))
        if (plot := box_plot(kind, noun, contents.groups(kind), contents.labels(kind)))
    }
    if not plots:
        return ""
    which = [(kind, f"By {noun}", None) for kind, noun in plots]
    choice = f'<div class="js">{choice_html("plot", "Scores by", which)}</div>' if len(plots) > 1 else ""
    hint = (
        ""
        if card.cross_prompt
        else (
            f'<p class="hint">Scores of {escape(card.id)} tell pictures for one prompt apart. Between prompts they say little, so compare '
            "models and LoRAs that were given the same prompts.</p>"
        )
    )
    return f"""<section class="plots" aria-label="Scores by group">{choice}{"".join(plots.values())}{hint}
<p class="hint">Box: the middle half of the scores, with the median. Whiskers: up to 1.5 times its width. Dots: single scores.
<span class="js">A name shows its pictures alone.</span></p></section>"""


def _percentiles(scores: Scores) -> str:
    if scores.distribution is None:
        return "These scores have no percentiles."
    return f"A percentile is the share of reference scores below a score. The reference: {escape(scores.distribution.source)}."


def _about(scores: Scores, card: ScorerCard) -> str:
    """The meaning of the number, from the scorer's card."""
    rows = [
        ("Scorer", card.id),
        ("Weights", scores.revision),
        ("Typical scores", card.typical_text),
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


def _failures(contents: Contents, folder: Path) -> str:
    """The pictures without a score, with the reason for each."""
    if not contents.failed:
        return ""
    rows = []
    for fact in contents.failed[:_MOST_FAILURES]:
        entry = contents.entries[fact.index]
        link = relative_link(entry.path, folder)
        name = f'<a href="{link}">{escape(entry.name)}</a>' if link else escape(entry.name)
        reason = escape(fact.reason.removeprefix(f"{source_name(entry.picture)}: "))
        prompt = fact.seen or entry.written
        if prompt:
            reason += f'<br><span class="prompt" dir="auto">{escape(prompt)}</span>'
        rows.append(f'<tr><th scope="row" dir="auto">{name}</th><td>{reason}</td></tr>')
    further = len(contents.failed) - len(rows)
    more = f'<p class="hint">And {count_of(further, "more picture")}.</p>' if further else ""
    return f"""<section id="failures"><h2>Not scored</h2>
<table class="failures"><thead><tr><th scope="col">Picture</th><th scope="col">Reason</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table>{more}</section>"""
