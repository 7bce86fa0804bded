"""The pictures that people like best and least, and those that scorers put first and last (arXiv 2304.05977, 3.2, Figures 10 and 11)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np

from imagereward_core.metrics.places import place_shares
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray, IntArray

from ..data.ranking import Ranking
from ..figures.document import Drawing, Figure, Section, Table
from ..figures.estimates import Estimator
from .scoring import ScoredRankings

CUTS = (1, 2, 4)
_PEOPLE = "people"


def candidates(ranking: Ranking) -> IntArray:
    """The pictures among which people chose, as indexes: all, or those that have a rank."""
    if not ranking.ranks:
        return np.arange(len(ranking.images))
    ends = {each for each in ranking.extremes if each is not None}
    return np.array([at for at, rank in enumerate(ranking.ranks) if rank or at in ends], dtype=np.int64)


def standings(scored: ScoredRankings, number: int) -> tuple[FloatArray | None, FloatArray | None]:
    """Where every scorer puts the human best and the human worst of a ranking, float64 [S, K] each, the best place first.

    None where people named no single picture, or one of the pictures has no score: its place would be unknown.
    """
    ranking, values = scored.rankings[number], scored.of(number)
    among = candidates(ranking)
    if len(among) < 2 or np.isnan(values[:, among]).any():
        return None, None
    best, worst = (
        None
        if each is None
        else np.array([place_shares(row[among], among.tolist().index(each)) for row in values])
        for each in ranking.extremes
    )
    return best, worst


def recall_section(scored: ScoredRankings, estimator: Estimator) -> Section:
    """Recall and filter."""
    found = [standings(scored, number) for number in range(len(scored.rankings))]
    figures, rows = [], []
    counted: dict[str, int] = {}
    for at, scorer in enumerate((*scored.scorers, "a toss")):
        cells = [scorer]
        for measure, which in (("recall", 0), ("filter", 1)):
            for cut in CUTS:
                hits, of = np.zeros(len(found)), np.zeros(len(found))
                for number, pair in enumerate(found):
                    shares = pair[which]
                    if shares is None or shares.shape[1] <= cut:
                        continue
                    places = shares.shape[1]
                    row = np.full(places, 1 / places) if at == len(scored.scorers) else shares[at]
                    hits[number] = row[:cut].sum() if measure == "recall" else row[::-1][:cut].sum()
                    of[number] = 1
                estimate = estimator.ratio(hits, of)
                counted[f"{measure}@{cut}"] = estimate.count
                name = "" if at == len(scored.scorers) else scorer
                what = measure if name else f"{measure} by chance"
                figures.append(Figure.made("recall", f"{what}@{cut}", estimate, "rankings", scorer=name))
                cells.append(estimate.percent() if name else estimate.percent().partition(" ")[0])
        rows.append(cells)
    titles = [f"{measure.capitalize()}@{cut}" for measure in ("recall", "filter") for cut in CUTS]
    left = len(found) - max(counted.values(), default=0)
    sentences = [
        "Rankings that count: " + ", ".join(f"{name} {number:,}" for name, number in counted.items()) + "."
    ]
    if left:
        sentences.append(
            f"At least {count_of(left, 'ranking')} cannot count: people named no single best or worst picture in them, one of their "
            "pictures has no score, or they are no longer than the cut."
        )
    return Section(
        "recall",
        "Recall and filter",
        "Recall@k: how often the picture that people like best is among the scorer's k best. Filter@k: how often the picture that people "
        "like least is among its k worst. In percent. Where scores are equal a picture counts with its share of the places it ties for. "
        "The last row is what drawing lots would give.",
        [Table(("Scorer", *titles), rows)],
        figures,
        sentences,
    )


def places_section(scored: ScoredRankings) -> Section | None:
    """Places of the human best and worst; None where there is nothing to count.

    Figures are for every number of pictures, since a place among four and one among nine are two things; tables and drawings for the most
    frequent one.
    """
    found = [standings(scored, number) for number in range(len(scored.rankings))]
    known = [[each for each in pair if each is not None] for pair in found]
    sizes = Counter(pair[0].shape[1] for pair in known if pair)
    if not sizes:
        return None
    main = max(sizes, key=lambda each: (sizes[each], each))
    figures, tables, drawings = [], [], []
    for size, (which, word) in product(sorted(sizes), enumerate(("best", "least"))):
        shares = [each for pair in found if (each := pair[which]) is not None and each.shape[1] == size]
        if not shares:
            continue
        of = len(shares)
        means = dict(zip(scored.scorers, np.mean(shares, axis=0)))
        figures += [
            Figure(
                section="places",
                measure=f"human {'best' if word == 'best' else 'worst'}",
                scorer=scorer,
                group=f"place {place} of {size}",
                value=float(each),
                count=of,
                of="rankings",
            )
            for scorer, row in means.items()
            for place, each in enumerate(row, start=1)
        ]
        if size == main:
            labels = [str(place) for place in range(1, size + 1)]
            title = f"Places of the picture that people like {word}, of {size} ({count_of(of, 'ranking')})"
            rows = [(scorer, *(f"{100 * each:.1f}" for each in row)) for scorer, row in means.items()]
            tables.append(Table(("Scorer", *labels), rows, title=title))
            drawings.append(
                Drawing(
                    "bars",
                    title,
                    "place given by the scorer, 1 is best",
                    "% of rankings",
                    labels,
                    {scorer: (100 * row).tolist() for scorer, row in means.items()},
                    100 / size,
                )
            )
    others = sum(number for each, number in sizes.items() if each != main)
    return Section(
        "places",
        "Where the human best and worst end up",
        "For the picture that people like best, and the one they like least, how often the scorer gives it each place, in percent. A good "
        "scorer has its first mass at 1 and its second at the end.",
        tables,
        figures,
        [f"Of other lengths, in csv and json alone: {count_of(others, 'ranking')}."] if others else [],
        drawings,
    )


def ratings_section(scored: ScoredRankings, estimator: Estimator) -> Section | None:
    """Mean ratings of the pictures that scorers put first and last; None where nobody gave ratings."""
    names = sorted({name for ranking in scored.rankings for each in ranking.ratings for name in each})
    if not names:
        return None
    figures, tables, drawings = [], [], []
    for name in names:
        rows = []
        values: dict[str, list[float]] = {"first": [], "last": []}
        who = (_PEOPLE, *scored.scorers)
        for at, scorer in enumerate(who):
            cells = [scorer]
            for end, pick in (("first", _first), ("last", _last)):
                rated = [
                    _mean_rating(scored, number, at - 1, name, pick) for number in range(len(scored.rankings))
                ]
                known = np.array([not math.isnan(each) for each in rated])
                estimate = estimator.ratio(np.nan_to_num(np.array(rated)), known.astype(np.float64))
                figures.append(Figure.made("ratings", f"{name}, {end}", estimate, "rankings", scorer=scorer))
                cells.append(estimate.plain())
                values[end].append(estimate.value)
            rows.append(cells)
        tables.append(Table(("By", "Mean of the first", "Mean of the last"), rows, title=f"Rating: {name}"))
        drawings.append(
            Drawing("bars", f"Rating of the first and the last: {name}", "", "mean rating", list(who), values)
        )
    return Section(
        "ratings",
        "Ratings of the first and the last",
        "The mean rating that people gave to the picture which the scorer puts first, and to the one it puts last; equal places share. The "
        "further apart the two, the better. The first row is what people's own ranking gives: nobody can be further apart.",
        tables,
        figures,
        drawings=drawings,
    )


def _first(values: FloatArray) -> FloatArray:
    return values == values.max()


def _last(values: FloatArray) -> FloatArray:
    return values == values.min()


def _mean_rating(
    scored: ScoredRankings, number: int, scorer: int, name: str, pick: Callable[[FloatArray], FloatArray]
) -> float:
    """Mean rating of the pictures at one end of a ranking, by a scorer or, for -1, by people; NaN where one has no rating."""
    ranking, values = scored.rankings[number], scored.of(number)
    among = candidates(ranking)
    if len(among) < 2 or not ranking.ratings or np.isnan(values[:, among]).any():
        return math.nan
    if scorer >= 0:
        chosen = among[pick(values[scorer][among])].tolist()
    elif ranking.ranks:
        among = among[np.array(ranking.ranks)[among] > 0]
        chosen = among[pick(-np.array(ranking.ranks, dtype=np.float64)[among])].tolist()
    else:
        end = ranking.extremes[0 if pick is _first else 1]
        chosen = [] if end is None else [end]
    rated = [ranking.ratings[at].get(name, math.nan) for at in chosen]
    return float(np.mean(rated)) if rated else math.nan
