"""Sections of an analysis: numbers, mean ratings and problems of groups of prompts (arXiv 2304.05977, Figures 5 to 9)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.plain import count_of

from ...figures.document import Drawing, Figure, Section, Table
from ...figures.estimates import Estimate, IntervalOptions
from .answers import Answers, category_labels, prompt_categories
from .groups import Group, Measures, groups_of
from .keys import CATEGORIES, NO_CATEGORY

ALL = "all"
_ACROSS = 4
"""Columns of a table beside the names: more do not fit a window."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """A way to part the prompts.

    Attributes:
        key: Its name in the keys of sections.
        word: What a group is called in a heading of a table.
        title: How it is said in titles.
        groups: The groups, in the order they are shown.
        everything: All prompts.
    """

    key: str
    word: str
    title: str
    groups: Sequence[Group]
    everything: Group


def by_category(answers: Answers) -> Grouping:
    """Prompts by category, the most frequent first; those without one come last."""
    numbers = prompt_categories(answers)
    labels = category_labels(answers)
    counts = np.bincount(numbers[numbers >= 0], minlength=len(answers.categories))
    order = sorted(range(len(answers.categories)), key=lambda each: (-counts[each], labels[each]))
    groups = groups_of(numbers, labels, [*order, -1])
    return Grouping("category", "Category", "by category", groups, _everything(answers))


def _everything(answers: Answers) -> Group:
    return Group(ALL, np.arange(len(answers.prompts), dtype=np.int64))


def prompts_section(answers: Answers, grouping: Grouping, options: IntervalOptions) -> Section:
    """Numbers of prompts by category (Figure 5), and what people say of the prompts themselves."""
    number = len(answers.prompts)
    shares = Measures(
        tuple(group.label for group in grouping.groups),
        np.stack([_inside(group, number) for group in grouping.groups], axis=1),
        np.ones((number, len(grouping.groups))),
    ).within(grouping.everything, options)
    figures, rows = [], []
    for group in grouping.groups:
        share = shares[group.label]
        figures += [
            Figure(
                section="prompts",
                measure="prompts",
                group=group.label,
                value=float(len(group)),
                count=len(group),
                of="prompts",
            ),
            Figure.made("prompts", "share of prompts", share, "prompts", group=group.label),
        ]
        rows.append((group.label, f"{len(group):,}", share.percent()))
    rows.append((ALL, f"{number:,}", ""))
    tables = [Table((grouping.word, "Prompts", "% of prompts"), rows)]
    asked = Measures.of(
        {"intent unclear": answers.unclear, **answers.prompt_problems}, answers.prompt, number
    )
    sentences = []
    if asked.counts.any():
        boxes = asked.within(grouping.everything, options)
        figures += [
            Figure.made("prompts", f"prompts: {name}", each, "answers") for name, each in boxes.items()
        ]
        ticked = [(name, f"{each.count:,}", each.percent()) for name, each in boxes.items()]
        tables.append(
            Table(("What people tick", "Answers", "% of answers"), ticked, title="Problems of prompts")
        )
    labels = {group.label for group in grouping.groups}
    absent = [label for label in CATEGORIES.values() if label not in labels]
    if absent and labels - {NO_CATEGORY}:
        sentences.append(f"Without any prompt: {', '.join(absent)}.")
    several = _undecided(answers)
    if several:
        sentences.append(
            f"People put {count_of(several, 'prompt')} into more than one category; each counts in the one that most chose, or, of equally "
            "many, in the one that came first."
        )
    return Section(
        "prompts",
        "Prompts by category",
        "How many different prompts there are of each category. The interval says how far the share would change with other prompts of the "
        "same kind.",
        tables,
        figures,
        sentences,
        [
            _bars(
                f"Prompts {grouping.title}",
                "prompts",
                grouping.groups,
                [float(len(each)) for each in grouping.groups],
            )
        ],
    )


def _inside(group: Group, number: int) -> np.ndarray:
    found = np.zeros(number)
    found[group.prompts] = 1.0
    return found


def _undecided(answers: Answers) -> int:
    """How many prompts are in more than one category."""
    known = answers.category >= 0
    pairs = np.unique(np.stack([answers.prompt[known], answers.category[known]]), axis=1)
    return int(np.count_nonzero(np.bincount(pairs[0], minlength=1) > 1))


def ratings_section(
    answers: Answers, grouping: Grouping, options: IntervalOptions, sentences: Sequence[str] = ()
) -> Section | None:
    """Mean ratings of groups (Figures 6 and 8); None where nobody gave ratings."""
    if not answers.ratings:
        return None
    measures = Measures.of(answers.ratings, answers.row_prompt, len(answers.prompts))
    return _section(
        f"ratings_by_{grouping.key}",
        f"Ratings {grouping.title}",
        "The mean of what people gave to the pictures of each group of prompts; overall, alignment and fidelity go from 1 (worst) to 7. "
        "The "
        "dashed line is the mean of all pictures, and the thin lines are the intervals.",
        "ratings",
        measures,
        grouping,
        options,
        1,
        sentences,
    )


def problems_section(
    answers: Answers, grouping: Grouping, options: IntervalOptions, sentences: Sequence[str] = ()
) -> Section | None:
    """Frequencies of problems in groups (Figures 7 and 9); None where nobody was asked."""
    if not answers.problems:
        return None
    measures = Measures.of(answers.problems, answers.row_prompt, len(answers.prompts))
    return _section(
        f"problems_by_{grouping.key}",
        f"Problems {grouping.title}",
        "In how many of a hundred judged pictures people found each problem. The dashed line is the share of all pictures, and the thin "
        "lines are the intervals.",
        "pictures",
        measures,
        grouping,
        options,
        100,
        sentences,
    )


def _section(
    key: str,
    title: str,
    lead: str,
    of: str,
    measures: Measures,
    grouping: Grouping,
    options: IntervalOptions,
    factor: int,
    sentences: Sequence[str],
) -> Section:
    """Every measure in every group and in all: tables with at most a few measures each, and a drawing for each measure."""
    rows = {group.label: measures.within(group, options) for group in (*grouping.groups, grouping.everything)}
    figures = [
        Figure.made(key, name, estimate, of, group="" if label == ALL else label)
        for label, row in rows.items()
        for name, estimate in row.items()
    ]
    sizes = {group.label: len(group) for group in (*grouping.groups, grouping.everything)}
    unit = " %" if factor == 100 else ""
    tables = []
    for start in range(0, len(measures.names), _ACROSS):
        names = measures.names[start : start + _ACROSS]
        cells = [
            (label, f"{sizes[label]:,}", *(_text(row[name], factor) for name in names))
            for label, row in rows.items()
        ]
        tables.append(Table((grouping.word, "Prompts", *(f"{name}{unit}" for name in names)), cells))
    drawings = []
    for name in measures.names:
        found = [rows[group.label][name] for group in grouping.groups]
        whole = rows[ALL][name]
        if not whole.count or (factor == 100 and not whole.value):
            continue
        drawings.append(
            _bars(
                f"{name} {grouping.title}" if factor == 100 else f"Rating {grouping.title}: {name}",
                "% of pictures" if factor == 100 else "mean rating",
                grouping.groups,
                [factor * each.value for each in found],
                [(factor * each.low, factor * each.high) for each in found],
                factor * whole.value,
            )
        )
    return Section(key, title, lead, tables, figures, sentences, drawings)


def _text(estimate: Estimate, factor: int) -> str:
    return estimate.percent() if factor == 100 else estimate.plain(2)


def _bars(
    title: str,
    upwards: str,
    groups: Sequence[Group],
    values: Sequence[float],
    ends: Sequence[tuple[float, float]] = (),
    level: float = math.nan,
) -> Drawing:
    series: Mapping[str, Sequence[float]] = {title: values}
    return Drawing(
        "bars",
        title,
        "",
        upwards,
        [group.label for group in groups],
        series,
        level,
        ends={title: ends} if ends else {},
    )
