"""The page of a finished tuning: what changed, by whom it was judged, the course, and pictures before and after."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imagereward_core.metrics.uncertainty import mean_interval
from imagereward_core.report.html_text import escape
from imagereward_core.report.thumbnails import thumbnail

from ...figures.document import Drawing, Evaluation, Figure, Section, Table
from ...figures.estimates import Estimate
from ...figures.page import write_page
from ..guards.check import Check
from ..guards.watchdog import History
from .previews import Drawn

PAGE = "report.html"
_SIDE = 192
_ROOM = 40_000_000
"""Bytes of pictures in a page; what comes after has its numbers alone."""


def write_tuning_page(
    path: Path,
    title: str,
    facts: Mapping[str, Any],
    history: History,
    last: Check,
    before: Drawn,
    after: Drawn,
    warnings: Sequence[str] = (),
) -> None:
    """Writes the page.

    Args:
        path: A page of this program there is replaced.
        title: Its heading.
        facts: What was tuned, and how, by name.
        history: All checks.
        last: What was measured of the result.
        before: Pictures of the untouched model.
        after: Pictures of the result, of the same prompts and seeds.
        warnings: What must be known to read the figures.
    """
    first = history.checks[0]
    evaluation = Evaluation(
        title=title,
        facts=facts,
        sections=[_change(first, last, before), _course(history), _guards(history)],
        warnings=warnings,
        kind="tuning",
        command="imagereward refl",
    )
    write_page(path, evaluation, list(_sheet(first, last, before, after)))


def change_of(first: Check, last: Check, scorer: str, seeds: int) -> tuple[Estimate, float]:
    """Mean change of a scorer's scores with its interval over prompts, and the share of pictures that became better.

    Args:
        first: Before.
        last: After, of the same pictures.
        scorer: Whose.
        seeds: Pictures for each prompt, which stand together.
    """
    changes = np.asarray(last.scores[scorer], dtype=float) - np.asarray(first.scores[scorer], dtype=float)
    known = changes[np.isfinite(changes)]
    if not len(known):
        return Estimate(math.nan), math.nan
    by_prompt = [row[np.isfinite(row)].mean() for row in changes.reshape(-1, seeds) if np.isfinite(row).any()]
    low, high = mean_interval(by_prompt)
    return Estimate(float(known.mean()), low, high, len(known)), float((known > 0).mean())


def _change(first: Check, last: Check, before: Drawn) -> Section:
    rows, figures, sentences = [], [], []
    for name in first.scores:
        estimate, better = change_of(first, last, name, before.seeds)
        unit = first.deviation(name)
        in_units = estimate.value / unit if unit > 0 else math.nan
        which = "tuned to" if name == first.reward else "not tuned to"
        rows.append(
            (
                f"{name}, {which}",
                f"{first.mean(name):.3f}",
                f"{last.mean(name):.3f}",
                estimate.plain(),
                "-" if math.isnan(in_units) else f"{in_units:+.2f}",
                "-" if math.isnan(better) else f"{100 * better:.0f} %",
                *(f"{100 * each.own[name]:.0f} %" if name in each.own else "-" for each in (first, last)),
            )
        )
        figures.append(Figure.made("change", "mean change", estimate, "pictures", scorer=name))
        for measure, each in (("mean before", first), ("mean after", last)):
            figures.append(
                Figure(
                    section="change",
                    measure=measure,
                    scorer=name,
                    value=each.mean(name),
                    count=len(each.scores[name]),
                    of="pictures",
                )
            )
    if not math.isnan(first.diversity):
        sentences.append(
            f"Pictures for one prompt differ from one another by {last.diversity:.3f}; before it was {first.diversity:.3f}."
        )
    table = Table(
        (
            "Scorer",
            "Before",
            "After",
            "Change (95 % interval over prompts)",
            "In deviations",
            "Better",
            "Own prompt, before",
            "Own prompt, after",
        ),
        rows,
    )
    return Section(
        key="change",
        title="Before and after",
        lead=f"{len(before.pictures)} pictures of {len(before.prompts)} prompts, drawn with the same seeds before and after. "
        "'In deviations' is the change in standard deviations of the scores before. 'Better' is the share of pictures with a higher score "
        "than before. 'Own prompt' is how often a picture goes better with its own prompt than with another one of these.",
        tables=[table],
        figures=figures,
        sentences=sentences,
    )


def _course(history: History) -> Section:
    labels = [str(each.update) for each in history.checks]
    drawings = [
        Drawing(
            "lines",
            f"{name} at checks",
            "update",
            name,
            labels,
            {name: [each.mean(name) for each in history.checks]},
        )
        for name in history.checks[0].scores
    ]
    drawings.append(
        Drawing(
            "lines",
            "Diversity at checks",
            "update",
            "difference",
            labels,
            {"diversity": [each.diversity for each in history.checks]},
        )
    )
    return Section(
        key="course",
        title="Course",
        lead="What checks measured on the way, with the averaged LoRA. updates.csv and checks.csv beside this page have all numbers.",
        tables=(),
        figures=(),
        drawings=drawings if len(labels) > 1 else (),
    )


def _guards(history: History) -> Section:
    rows = [
        (str(each.update), "good" if not each.faults else "; ".join(each.faults))
        for each in history.checks[1:]
    ]
    sentences = [f"The result is the state after update {history.good}."]
    if history.stopped:
        sentences.append(f"The run was stopped: {history.stopped}.")
    return Section(
        key="guards",
        title="Guards",
        lead="After every check the guards say whether the state is good: that no scorer fell, pictures stay as diverse, and still go with "
        "their own prompts.",
        tables=[Table(("Update", "Verdict"), rows, texts=2)],
        figures=(),
        sentences=sentences,
    )


def _sheet(first: Check, last: Check, before: Drawn, after: Drawn) -> Iterator[str]:
    yield (
        '<section class="figures" id="sheet"><h2>Pictures before and after</h2>\n<p class="hint">The same prompts and seeds, with the '
        f"score by {escape(first.reward)}.</p></section>\n"
    )
    room = _ROOM
    for prompt, text in enumerate(before.prompts):
        rows = []
        for title, drawn, check in (("before", before, first), ("after", after, last)):
            cells = []
            for seed, picture in enumerate(drawn.of(prompt)):
                small = thumbnail(picture, _SIDE) if room > 0 else None
                shown = '<span class="none"></span>'
                if small is not None:
                    shown = f'<img src="{small.uri}" width="{small.width}" height="{small.height}" alt="{title}" loading="lazy">'
                    room -= len(small.uri)
                value = check.scores[check.reward][prompt * drawn.seeds + seed]
                score = f"{value:.3f}" if math.isfinite(value) else "no score"
                cells.append(f"<figure>{shown}<figcaption>{score}</figcaption></figure>")
            rows.append(f'<tr><th scope="row">{title}</th><td>{"".join(cells)}</td></tr>')
        yield (
            f'<section class="figures sheet"><h2 dir="auto">{escape(text)}</h2>\n<div class="scroll"><table><tbody>{"".join(rows)}'
            "</tbody></table></div></section>\n"
        )
