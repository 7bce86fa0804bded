"""A ranking of the generators by people, and how near each scorer's comes to it (arXiv 2304.05977, Table 4)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from imagereward_core.files.regular import read_regular
from imagereward_core.metrics.agreement import average_ranks, spearman
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray

from ....data.encoding import text_of
from ....figures.document import Figure, Section, Table
from ....figures.estimates import Estimate, Estimator
from ...accuracy import p_text
from ...options import EvaluateOptions
from ..compare import Standing
from ..pictures import MatchError
from .answers import Answers

_MOST_BYTES = 2**20
_ALL_ORDERS = 7
"""Up to so many generators all orders are tried."""
_ORDERS = 9999
_EXPECTED = "expected either the names of the generators, one a line, the best first, or a table with the columns generator and wins"


@dataclass(frozen=True)
class HumanRanking:
    """What people think of generators.

    Attributes:
        source: Where it is from, in words.
        points: By generator; more is better.
    """

    source: str
    points: Mapping[str, float]


def read_human(path: Path, generators: Sequence[str]) -> HumanRanking:
    """A file ``generator,wins``, or names in order, the best first. Letter case of names does not matter.

    Raises:
        MatchError: It is not in this form, names a generator that is not compared, or fewer than two that are.
        OSError: It cannot be read.
    """
    try:
        text = text_of(read_regular(path, _MOST_BYTES))
        header = text.partition("\n")[0]
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count)))
    except (csv.Error, ValueError) as error:
        raise MatchError(f"{path}: {error}; {_EXPECTED}") from error
    rows = [[cell.strip() for cell in row] for row in cells if any(cell.strip() for cell in row)]
    if rows and rows[0][0].lower() in ("generator", "model", "name") and len(rows) > 1:
        rows = rows[1:]
    known = {**{name.casefold(): name for name in generators}, **{name: name for name in generators}}
    points: dict[str, float] = {}
    for place, row in enumerate(rows):
        name = known.get(row[0]) or known.get(row[0].casefold())
        if name is None:
            raise MatchError(
                f"{path}: {row[0]!r} is none of the generators that are compared; expected {', '.join(generators)}. Name a folder "
                "NAME=DIR to give its generator another name"
            )
        if name in points:
            raise MatchError(f"{path}: {name} is there twice; {_EXPECTED}")
        points[name] = _points(path, row, place, len(rows))
    if len(points) < 2:
        raise MatchError(f"{path}: found {count_of(len(points), 'generator')}; {_EXPECTED}")
    return HumanRanking(f"the file {path.name}", points)


def human_of(answers: Answers, generators: Sequence[str]) -> HumanRanking | None:
    """What people think by their answers to a task; None where it was not about two of these generators."""
    won = answers.contest.points.sum(axis=0)
    points = {name: float(each) for name, each in zip(answers.generators, won) if name in generators}
    return HumanRanking("the answers to the task", points) if len(points) > 1 else None


def _points(path: Path, row: Sequence[str], place: int, rows: int) -> float:
    if len(row) == 1:
        return float(rows - place)
    try:
        number = float(row[1])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MatchError(f"{path}: found {row[1]!r} as the wins of {row[0]}; {_EXPECTED}")
    return number


def order_by_chance(first: FloatArray, second: FloatArray, seed: int = 0) -> float:
    """How often a random order would agree with ``second`` at least as well as ``first`` does (one-sided permutation test of Spearman).

    >>> order_by_chance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    0.16666666666666666
    """
    seen = spearman(first, second)
    if math.isnan(seen):
        return 1.0
    if len(first) <= _ALL_ORDERS:
        orders = [first[list(order)] for order in permutations(range(len(first)))]
        return sum(spearman(order, second) >= seen - 1e-12 for order in orders) / len(orders)
    rng = np.random.default_rng(seed)
    hits = sum(spearman(rng.permutation(first), second) >= seen - 1e-12 for _ in range(_ORDERS))
    return (hits + 1) / (_ORDERS + 1)


def human_section(
    human: HumanRanking,
    generators: Sequence[str],
    standings: Sequence[Standing],
    fid: Mapping[str, float],
    options: EvaluateOptions,
) -> Section:
    """How near each order comes to that of people.

    Args:
        human: What people think.
        generators: Those compared.
        standings: By every scorer.
        fid: By generator, where it was computed; lower is better.
        options: How intervals are made.
    """
    chosen = [at for at, name in enumerate(generators) if name in human.points]
    names = [generators[at] for at in chosen]
    points = np.array([human.points[name] for name in names])
    sources: list[tuple[str, FloatArray, Estimate]] = []
    for each in standings:
        values = np.array([each.means[at].value for at in chosen])
        draws = np.array([spearman(row[chosen], points) for row in each.draws])
        interval = Estimator(options, np.zeros(0, np.int64)).interval(draws)
        sources.append(
            (each.results.scorer, values, Estimate(spearman(values, points), *interval, len(names)))
        )
    if fid:
        values = -np.array([fid[name] for name in names])
        sources.append(("FID", values, Estimate(spearman(values, points), count=len(names))))
    figures, rows = [], []
    for source, values, estimate in sources:
        chance = Estimate(order_by_chance(values, points, options.seed), count=len(names))
        figures += [
            Figure.made("human", "spearman", estimate, "generators", scorer=source),
            Figure.made("human", "p", chance, "generators", scorer=source),
        ]
        places = average_ranks(values)
        rows.append((source, estimate.plain(), p_text(chance.value), *(f"{place:g}" for place in places)))
    rows.append(("people", "-", "-", *(f"{place:g}" for place in average_ranks(points))))
    sentences = [f"What people think is from {human.source}."]
    if len(names) < len(generators):
        missing = ", ".join(name for name in generators if name not in human.points)
        sentences.append(f"Not in it, and left out here: {missing}.")
    if len(names) < 5:
        sentences.append(
            f"{len(names)} generators can be put into {math.factorial(len(names))} orders alone, so that a good agreement says little."
        )
    return Section(
        "human",
        "The order of people",
        "Spearman's rank correlation of each order of the generators with that of people: 1 is the same order, -1 the reverse, 0 none. The "
        "interval comes from which prompts were drawn, the order of people being taken as it is. Chance is how often a random order would "
        "come as near. Then the place that each generator has. FID counts as better where it is lower.",
        [Table(("By", "Spearman", "Chance", *names), rows)],
        figures,
        sentences,
    )
