"""Krippendorff's alpha: how far people agree beyond chance (K. Krippendorff, Content Analysis, 2004, chapter 11).

The value is that of the package krippendorff. Its interval comes from prompts drawn anew: coincidences add up over prompts, so that a draw
needs no counting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagereward_core.metrics.uncertainty import resampled_sums
from imagereward_core.scores import FloatArray, IntArray

from ...figures.document import Figure, Section, Table
from ...figures.estimates import Estimate, IntervalOptions
from .answers import Answers
from .orders import same_tasks

NOMINAL, ORDINAL = "nominal", "ordinal"
RELIABLE, TENTATIVE = 0.8, 0.667
"""What Krippendorff asks for: below the second nothing should rest on the data."""
_MOST_CELLS = 40_000_000
MISSING = (
    "Krippendorff's alpha is computed by the package krippendorff, which cannot be loaded. Install it with: "
    "pip install 'imagereward-curator[analysis]'"
)


@dataclass(frozen=True, eq=False)
class Judgements:
    """What people said of things that several can judge.

    Attributes:
        counts: How many people gave every value to every thing, int64 [N, V]; only things that two people or more judged.
        values: The values, in order, float64 [V].
        prompts: For every thing the number of its prompt, int64 [N].
        people: How many people judged one of these things.
    """

    counts: IntArray
    values: FloatArray
    prompts: IntArray
    people: int


def judgements(things: IntArray, people: IntArray, values: FloatArray, prompts: IntArray) -> Judgements:
    """What people said, one row for each thing and person.

    Who judged a thing twice counts once, with what was said last; values that are NaN and people of -1 do not count.

    Args:
        things: Numbers, int64 [A].
        people: Numbers, int64 [A].
        values: What was said, float64 [A].
        prompts: The prompt of each, int64 [A].
    """
    fit = ~np.isnan(values) & (people >= 0)
    things, people, values, prompts = things[fit], people[fit], values[fit], prompts[fit]
    # Of equal pairs the last: unique finds the first, so it looks from behind.
    _, last = np.unique(np.stack([things, people])[:, ::-1], axis=1, return_index=True)
    kept = len(things) - 1 - last
    things, people, values, prompts = things[kept], people[kept], values[kept], prompts[kept]
    names, thing, judged = np.unique(things, return_inverse=True, return_counts=True)
    several = judged[thing] > 1
    domain, value = np.unique(values[several], return_inverse=True)
    rows, row = np.unique(thing[several], return_inverse=True)
    counts = np.zeros((len(rows), len(domain)), dtype=np.int64)
    np.add.at(counts, (row.reshape(-1), value.reshape(-1)), 1)
    of = np.zeros(len(names), dtype=np.int64)
    of[thing] = prompts
    return Judgements(counts, domain, of[rows], len(np.unique(people[several])))


def package() -> Callable[..., float] | None:
    """The package's function; None where it is not installed."""
    try:
        from krippendorff import alpha
    except ImportError:
        return None
    return alpha


def alpha(said: Judgements, level: str, options: IntervalOptions) -> Estimate:
    """Krippendorff's alpha with its interval by prompt; NaN where all values are equal, or nothing was judged twice.

    Raises:
        ImportError: The package is not installed.
    """
    compute = package()
    if compute is None:
        raise ImportError(MISSING)
    number, several = said.counts.shape
    if several < 2:
        return Estimate(math.nan, count=number)
    value = compute(value_counts=said.counts, value_domain=said.values, level_of_measurement=level)
    low, high = _interval(said, level, options)
    return Estimate(float(value), low, high, number)


def _interval(said: Judgements, level: str, options: IntervalOptions) -> tuple[float, float]:
    from imagereward_core.metrics.uncertainty import interval

    names, at = np.unique(said.prompts, return_inverse=True)
    cells = said.counts.shape[1] ** 2
    if len(names) < 2 or cells * max(len(names), options.resamples, len(at)) > _MOST_CELLS:
        return math.nan, math.nan
    by_prompt = np.zeros((len(names), *2 * said.counts.shape[1:]))
    np.add.at(by_prompt, at.reshape(-1), coincidences(said.counts))
    draws = resampled_sums(by_prompt, options.resamples, options.seed)
    return interval(alpha_of(draws, level), options.confidence / 100)


def coincidences(counts: IntArray) -> FloatArray:
    """For every thing how often two values coincide in it, float64 [N, V, V]; each person counts once in all.

    >>> coincidences(np.array([[2, 1]]))[0].tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """
    wide = counts.astype(np.float64)
    pairs = wide[:, :, None] * wide[:, None, :]
    places = np.arange(counts.shape[1])
    pairs[:, places, places] -= wide
    return pairs / np.maximum(1.0, wide.sum(axis=1) - 1)[:, None, None]


def alpha_of(found: FloatArray, level: str) -> FloatArray:
    """Alpha from coincidences, float64 [...]; NaN where all values are equal.

    Args:
        found: [..., V, V].
        level: ``nominal`` or ``ordinal``.
    """
    totals = found.sum(axis=-1)
    number = totals.sum(axis=-1)
    far: FloatArray
    if level == NOMINAL:
        far = np.broadcast_to(1.0 - np.eye(totals.shape[-1]), found.shape)
    else:
        # How many values lie from the one to the other, both ends half.
        middle = np.cumsum(totals, axis=-1) - totals / 2
        far = (middle[..., :, None] - middle[..., None, :]) ** 2
    seen = (found * far).sum(axis=(-1, -2))
    chance = (totals[..., :, None] * totals[..., None, :] * far).sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance > 0, 1.0 - (number - 1) * seen / chance, math.nan)


def all_judgements(answers: Answers) -> Iterator[tuple[str, str, str, Judgements]]:
    """What people may agree about: what it is, its level, what the things are, and what was said of them."""
    rows = answers.row_picture, answers.row_person
    for name, values in answers.ratings.items():
        yield f"rating: {name}", ORDINAL, "pictures", judgements(*rows, values, answers.row_prompt)
    things, places, prompts, people = same_tasks(answers)
    yield "rank", ORDINAL, "pictures", judgements(things, people, places, prompts)
    for name, values in answers.problems.items():
        yield f"problem: {name}", NOMINAL, "pictures", judgements(*rows, values, answers.row_prompt)
    about: dict[str, FloatArray] = {
        "category": np.where(answers.category < 0, math.nan, answers.category.astype(np.float64)),
        "intent unclear": answers.unclear,
        **{f"prompt problem: {name}": values for name, values in answers.prompt_problems.items()},
    }
    for name, values in about.items():
        said = judgements(answers.prompt, answers.person, values, answers.prompt)
        yield name, NOMINAL, "prompts", said


def alpha_section(answers: Answers, options: IntervalOptions) -> Section | None:
    """Alpha of everything that two people or more judged; None where there is no such thing."""
    every: list[tuple[str, str, str, Judgements]] = [
        each for each in all_judgements(answers) if len(each[-1].counts)
    ]
    if not every:
        return None
    figures, rows, sentences = [], [], []
    if package() is None:
        return Section("alpha", _TITLE, MISSING, [], [])
    equal = []
    for name, level, of, said in every:
        estimate = alpha(said, level, options)
        if math.isnan(estimate.value):
            equal.append(name)
            continue
        figures.append(Figure.made("alpha", name, estimate, of))
        rows.append((name, level, estimate.plain(), f"{estimate.count:,} {of}", f"{said.people:,}"))
    if equal:
        sentences.append(f"Everybody always said the same, so that alpha is not defined: {', '.join(equal)}.")
    table: list[Any] = (
        [Table(("About", "Level", "Alpha", "Judged twice or more", "People"), rows, texts=2)] if rows else []
    )
    return Section(
        "alpha",
        _TITLE,
        "1 is agreement without exception, 0 what chance alone would give, and below 0 people differ more than by chance. Ratings and "
        "ranks are "
        "compared as ordered values, boxes and categories as different or not. Krippendorff asks for "
        f"{RELIABLE}, and for {TENTATIVE} at the very least; tastes differ, so that less is usual where beauty is judged. Ranks are "
        "compared where people ranked the same pictures, as their places with ties shared.",
        table,
        figures,
        sentences,
    )


_TITLE = "Agreement beyond chance: Krippendorff's alpha"
