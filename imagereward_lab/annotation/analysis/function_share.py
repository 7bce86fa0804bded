"""Prompts by the share of their phrases that ask for quality alone, such as "8k" (arXiv 2304.05977, 2.3, Figures 8 and 9)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray

from ...data.ranking import Phrase
from ...figures.document import Drawing, Figure, Section, Table
from ...figures.estimates import IntervalOptions
from .answers import Answers
from .groups import Group, Measures, groups_of
from .phrases.pieces import function_share
from .sections import ALL, Grouping

Finder = Callable[[Sequence[str]], Sequence[Sequence[Phrase]]]
"""What finds the phrases of prompts."""
BUCKETS = (
    "none",
    "over 0 to 20 %",
    "over 20 to 40 %",
    "over 40 to 60 %",
    "over 60 to 80 %",
    "over 80 to 100 %",
)
_FIFTHS = 5
_SHOWN = 15
_LONGEST = 60


@dataclass(frozen=True, eq=False)
class FunctionShares:
    """How much of every prompt asks for quality.

    Attributes:
        values: Of its phrases the share that are function phrases, float64 [P]; where several people marked a prompt, their mean.
        frequent: In how many prompts the most frequent function phrases stand, the most frequent first.
        marked: How many prompts were marked by people; of the others something else found the phrases.
    """

    values: FloatArray
    frequent: Sequence[tuple[str, int]]
    marked: int


def bucket_of(share: float) -> int:
    """The number of the group of a share: 0 for none at all, 1 to 5 for the fifths of 0 to 1, each with its upper end.

    >>> [bucket_of(each) for each in (0.0, 0.01, 0.2, 0.21, 0.6, 1.0)]
    [0, 1, 1, 2, 3, 5]
    """
    # A share is a quotient of small whole numbers: rounding keeps 3 / 5 and its like where they belong.
    return 0 if share <= 0 else min(_FIFTHS, math.ceil(round(share * _FIFTHS, 9)))


def function_shares(answers: Answers, find: Finder) -> FunctionShares:
    """The shares: by the phrases that people marked in a prompt, else by those that are found.

    Args:
        answers: What people said.
        find: Finds phrases in the prompts that nobody marked.
    """
    marked: Mapping[int, Sequence[Sequence[Phrase]]] = answers.phrases
    rest = [number for number in range(len(answers.prompts)) if number not in marked]
    found = dict(zip(rest, find([answers.prompts[number] for number in rest])))
    values = np.zeros(len(answers.prompts))
    frequent: Counter[str] = Counter()
    for number, prompt in enumerate(answers.prompts):
        every = marked.get(number) or [found[number]]
        values[number] = np.mean([function_share(prompt, each) for each in every])
        frequent.update(
            {
                " ".join(prompt[each.start : each.end].lower().split())[:_LONGEST]
                for phrases in every
                for each in phrases
                if each.kind == "function"
            }
        )
    ordered = sorted(frequent.items(), key=lambda each: (-each[1], each[0]))
    return FunctionShares(values, ordered[:_SHOWN], len(answers.prompts) - len(rest))


def by_function_share(answers: Answers, shares: FunctionShares) -> Grouping:
    """Prompts in none at all and five equal buckets."""
    numbers = np.array([bucket_of(each) for each in shares.values.tolist()], dtype=np.int64)
    everything = Group(ALL, np.arange(len(answers.prompts), dtype=np.int64))
    groups = groups_of(numbers, BUCKETS, range(len(BUCKETS)))
    return Grouping("function_share", "Function phrases", "by share of function phrases", groups, everything)


def function_section(
    answers: Answers, shares: FunctionShares, grouping: Grouping, options: IntervalOptions, found_by: str
) -> Section:
    """Numbers of prompts by the share of function phrases, and which phrases these are (first part of Figure 8).

    Args:
        answers: What people said.
        shares: How much of every prompt asks for quality.
        grouping: The prompts by that.
        options: How intervals are made.
        found_by: What found the phrases where nobody marked them, in words.
    """
    number = len(answers.prompts)
    sizes = {group.label: len(group) for group in grouping.groups}
    inside = np.zeros((number, len(BUCKETS)))
    for group in grouping.groups:
        inside[group.prompts, BUCKETS.index(group.label)] = 1.0
    estimates = Measures(BUCKETS, inside, np.ones_like(inside)).within(grouping.everything, options)
    mean = Measures(("mean",), shares.values[:, None], np.ones((number, 1))).within(
        grouping.everything, options
    )
    figures, rows = [], []
    for label in BUCKETS:
        size = sizes.get(label, 0)
        figures += [
            Figure(
                section="function_share",
                measure="prompts",
                group=label,
                value=float(size),
                count=size,
                of="prompts",
            ),
            Figure.made("function_share", "share of prompts", estimates[label], "prompts", group=label),
        ]
        rows.append((label, f"{size:,}", estimates[label].percent()))
    rows.append((ALL, f"{number:,}", ""))
    figures.append(Figure.made("function_share", "mean share of function phrases", mean["mean"], "prompts"))
    figures += [
        Figure(
            section="function_share",
            measure="prompts with the phrase",
            group=phrase,
            value=float(each),
            count=each,
            of="prompts",
        )
        for phrase, each in shares.frequent
    ]
    tables = [Table(("Function phrases", "Prompts", "% of prompts"), rows)]
    if shares.frequent:
        tables.append(
            Table(
                ("Phrase", "Prompts"),
                [(phrase, f"{each:,}") for phrase, each in shares.frequent],
                title="The most frequent function phrases",
            )
        )
    others = number - shares.marked
    sources = []
    if shares.marked:
        sources.append(f"in {count_of(shares.marked, 'prompt')} people marked them")
    if others:
        sources.append(f"in {count_of(others, 'prompt')} they were found by {found_by}")
    title = "Prompts by share of function phrases"
    return Section(
        "function_share",
        title,
        "Function phrases ask for quality and for nothing else, such as 8k or highly detailed. The share is that of a prompt's phrases, "
        "which "
        "are what commas part; a function phrase within such a part counts for itself, and so does the rest of the part.",
        tables,
        figures,
        [
            f"Where phrases come from: {', '.join(sources)}.",
            f"Of a prompt's phrases, {mean['mean'].percent()} % are function phrases on average.",
        ],
        [
            Drawing(
                "bars",
                title,
                "share of function phrases",
                "prompts",
                BUCKETS,
                {title: [float(sizes.get(each, 0)) for each in BUCKETS]},
            )
        ],
    )
