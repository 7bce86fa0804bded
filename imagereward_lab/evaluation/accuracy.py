"""Preference accuracy: by every protocol, by category, and whether two scorers differ (arXiv 2304.05977, 4.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from imagereward_core.metrics.pairs import PAIR_PROTOCOLS, PairProtocol, pair_counts
from imagereward_core.metrics.uncertainty import holm, paired_test, sums_by_group
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray, IntArray

from ..figures.document import Drawing, Figure, Section, Table
from ..figures.estimates import Estimate, Estimator
from .options import EvaluateOptions
from .scoring import ScoredRankings

SURE = 0.05
"""Below this p value two scorers are called different."""
_OTHER = "no category"


def counts_of(scored: ScoredRankings, values: FloatArray | None = None) -> IntArray:
    """Pairs by kind of every ranking and scorer, int64 [S, R, 5].

    Args:
        scored: The rankings.
        values: Other numbers for their pictures, [S, N]; by default those of the scorers.
    """
    numbers = scored.values if values is None else values
    made = [
        [pair_counts(row, ranking.order, ranking.knows_ties) for row in numbers[:, places]]
        for ranking, places in zip(scored.rankings, scored.places)
    ]
    return np.array(made, dtype=np.int64).reshape(len(made), len(numbers), 5).transpose(1, 0, 2)


def accuracy_section(
    scored: ScoredRankings, counts: IntArray, estimator: Estimator[EvaluateOptions]
) -> Section:
    """Accuracy of every scorer by every protocol."""
    figures, rows = [], []
    for number, scorer in enumerate(scored.scorers):
        cells = [scorer]
        for protocol in PAIR_PROTOCOLS.values():
            found = estimate(protocol, counts[number], estimator)
            figures.append(
                Figure.made(
                    "accuracy",
                    protocol.name,
                    found,
                    "pairs" if protocol.over == "pairs" else "rankings",
                    scorer=scorer,
                )
            )
            cells.append(found.percent())
        rows.append(cells)
    of = counts[0].sum(axis=0) if len(counts) else np.zeros(5)
    strict, ties = int(of[:3].sum()), int(of[3:].sum())
    level = {name: int(each[:, 2].sum()) for name, each in zip(scored.scorers, counts)}
    sentences = [
        f"Counted from {count_of(len(scored.rankings), 'ranking')} of {count_of(len(set(scored.prompts.tolist())), 'prompt')}: "
        f"{count_of(strict, 'pair')} that people ordered and {strict and ties:,} that they tied."
    ]
    sentences += [
        f"{name} gives both pictures of {count_of(number, 'ordered pair')} the same score."
        for name, number in level.items()
        if number
    ]
    rules = "; ".join(f"{each.title}: {each.source}" for each in PAIR_PROTOCOLS.values())
    return Section(
        "accuracy",
        "Preference accuracy",
        "Of two pictures for one prompt, how often the scorer prefers the one that people prefer, in percent; 50 would be a toss. "
        f"Programs count differently, so the same scores have several accuracies. {rules}.",
        [Table(("Scorer", *(each.title for each in PAIR_PROTOCOLS.values())), rows)],
        figures,
        sentences,
    )


def estimate(protocol: PairProtocol, counts: IntArray, estimator: Estimator[EvaluateOptions]) -> Estimate:
    """Accuracy over rankings, from [R, 5]."""
    return estimator.ratio(*protocol.parts(counts))


def differences_section(
    scored: ScoredRankings, counts: IntArray, estimator: Estimator[EvaluateOptions]
) -> Section | None:
    """Whether scorers differ, two by two; None for a single one."""
    pairs = list(combinations(range(len(scored.scorers)), 2))
    if not pairs:
        return None
    protocol = estimator.options.rules
    parts = [protocol.parts(each) for each in counts]
    found = [_difference(parts[one], parts[two], estimator) for one, two in pairs]
    corrected = holm([p for _, p in found])
    figures, rows, sentences = [], [], []
    for (one, two), (difference, p), p_holm in zip(pairs, found, corrected):
        first, second = scored.scorers[one], scored.scorers[two]
        of = "pairs" if protocol.over == "pairs" else "rankings"
        figures += [
            Figure.made("differences", measure, found_out, unit, scorer=first, against=second)
            for measure, found_out, unit in (
                ("difference", difference, of),
                ("p", Estimate(p), "prompts"),
                ("p corrected", Estimate(p_holm), "prompts"),
            )
        ]
        rows.append((first, second, difference.percent(), p_text(p), p_text(p_holm)))
        sentences.append(difference_sentence(first, second, difference, p_holm))
    return Section(
        "differences",
        "Do the scorers differ?",
        f"Difference in accuracy ({protocol.title}) on the same pairs, in percentage points, the first minus the second. The p value is "
        "from a paired permutation test by prompt: how often so large a difference would come about if for every prompt it were a toss "
        "which scorer had which result. Corrected is for the number of comparisons (Holm); below 0.05 the scorers are called different.",
        [Table(("Scorer", "Against", "Difference", "p", "p corrected"), rows, texts=2)],
        figures,
        sentences,
    )


def _difference(
    one: tuple[FloatArray, FloatArray],
    two: tuple[FloatArray, FloatArray],
    estimator: Estimator[EvaluateOptions],
) -> tuple[Estimate, float]:
    """The difference between two scorers with the same pairs, and the p value of the paired test by prompt."""
    gained = one[0] - two[0]
    found = estimator.ratio(gained, one[1])
    if math.isnan(found.value):
        return found, 1.0
    by_prompt = sums_by_group(gained, estimator.prompts, int(estimator.prompts.max()) + 1)
    return found, paired_test(by_prompt, seed=estimator.options.seed)


def difference_sentence(one: str, two: str, difference: Estimate, p: float) -> str:
    """What a comparison comes to, in plain words."""
    if math.isnan(difference.value):
        return f"{one} and {two} cannot be compared: there is no pair that both have scored."
    points = 100 * abs(difference.value)
    if p < SURE and difference.value:
        better, worse = (one, two) if difference.value > 0 else (two, one)
        return f"{better} is better than {worse}, by {points:.1f} points (p {p_text(p)})."
    return (
        f"{one} and {two} cannot be told apart with these rankings: they differ by {points:.1f} points, which may be chance "
        f"(p {p_text(p)})."
    )


def p_text(value: float) -> str:
    """A p value as people read it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def categories_section(
    scored: ScoredRankings, counts: IntArray, estimator: Estimator[EvaluateOptions]
) -> Section | None:
    """Accuracy by category of prompt; None where no ranking names one."""
    named = [ranking.category or _OTHER for ranking in scored.rankings]
    categories = sorted(set(named) - {_OTHER}) + ([_OTHER] if _OTHER in named else [])
    if categories in ([], [_OTHER]):
        return None
    protocol = estimator.options.rules
    figures, rows = [], []
    values: dict[str, list[float]] = {scorer: [] for scorer in scored.scorers}
    for category in categories:
        chosen = np.array([each == category for each in named])
        part = Estimator(estimator.options, estimator.prompts[chosen])
        found = [estimate(protocol, each[chosen], part) for each in counts]
        prompts = len(set(part.prompts.tolist()))
        rows.append((category, f"{prompts:,}", *(each.percent() for each in found)))
        for scorer, each in zip(scored.scorers, found):
            figures.append(
                Figure.made("categories", protocol.name, each, "pairs", scorer=scorer, group=category)
            )
            values[scorer].append(100 * each.value)
    return Section(
        "categories",
        "Accuracy by category",
        f"Accuracy in percent ({protocol.title}) for the prompts of each category. Categories with few prompts have wide intervals: where "
        "they overlap, the difference may be chance.",
        [Table(("Category", "Prompts", *scored.scorers), rows)],
        figures,
        drawings=[
            Drawing("bars", "Accuracy by category", "", "accuracy, %", _short(categories), values, 50.0)
        ],
    )


def _short(names: Sequence[str]) -> list[str]:
    return [name if len(name) <= 18 else f"{name[:17]}…" for name in names]
