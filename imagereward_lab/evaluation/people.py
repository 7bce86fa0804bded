"""Agreement between people, their majority, and scorers (arXiv 2304.05977, Table 1), and whose pictures win (Figure 12)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.metrics.uncertainty import paired_test, sums_by_group
from imagereward_core.metrics.voters import Votes, agreed_pairs, choices, majority, majority_of_others
from imagereward_core.metrics.wins import sources_of, win_counts
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray, IntArray

from ..figures.document import Figure, Section, Table, known
from ..figures.estimates import Estimate, Estimator, IntervalOptions
from .scoring import ScoredRankings

LEAST_PAIRS = 10
"""Two voters with fewer pairs in common are not compared: the result would be chance."""
MOST_VOTERS = 300
"""Everybody is compared with everybody, which for thousands of people takes days: so many, those who share most pairs, are enough."""
_MOST_CELLS = 20_000_000
_ALL = "all others"
RESEARCHER, ANNOTATOR, ENSEMBLE = "researcher", "annotator", "ensemble"


@dataclass(frozen=True, eq=False)
class Order:
    """How somebody ordered pictures of a prompt.

    Attributes:
        person: Who.
        prompt: Number of the prompt.
        pictures: Numbers of the pictures, one for the same picture of the same prompt, int64 [K].
        ranks: Their ranks, 1 is best, equal ones are ties, float64 [K].
    """

    person: str
    prompt: int
    pictures: IntArray
    ranks: FloatArray


class Ballot:
    """What everybody chose of all pairs that at least two people ranked.

    Args:
        orders: What everybody said.
        scorers: For every scorer its numbers by picture.

    Attributes:
        people: For every person the choices, int8 [P].
        scorers: For every scorer likewise.
        prompts: For every pair the number of its prompt, int64 [P].
        left_out: How many further people there are, who share fewer pairs with anybody.
    """

    def __init__(self, orders: Iterable[Order], scorers: Mapping[str, FloatArray] | None = None) -> None:
        votes: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
        prompts: dict[tuple[int, int], int] = {}
        for each in orders:
            # A pair has one name, whatever the order of a ranking.
            order = np.argsort(each.pictures, kind="stable")
            pictures = each.pictures[order]
            one, two = np.triu_indices(len(order), 1)
            for first, second, choice in zip(
                pictures[one].tolist(),
                pictures[two].tolist(),
                choices(each.ranks[order], higher_is_better=False).tolist(),
            ):
                if first == second:  # a ranking that names a picture twice says nothing about it
                    continue
                cast = votes[first, second]
                cast[each.person] = cast.get(each.person, 0) + choice
                prompts[first, second] = each.prompt
        shared = [pair for pair, each in votes.items() if len(each) > 1]
        often = Counter(name for pair in shared for name in votes[pair])
        kept = sorted(sorted(often), key=lambda name: -often[name])[:MOST_VOTERS]
        self.left_out = len(often) - len(kept)
        rows = {name: np.zeros(len(shared), np.int8) for name in sorted(kept)}
        for at, pair in enumerate(shared):
            for name, choice in votes[pair].items():
                if name in rows:
                    rows[name][at] = (choice > 0) - (choice < 0)
        self.people: dict[str, Votes] = rows
        first, second = (np.array([pair[end] for pair in shared], dtype=np.int64) for end in (0, 1))
        self.scorers: dict[str, Votes] = {
            scorer: np.sign(row[first] - row[second]).astype(np.int8) if shared else np.zeros(0, np.int8)
            for scorer, row in (scorers or {}).items()
        }
        self.prompts = np.array([prompts[pair] for pair in shared], dtype=np.int64)


def orders_of(scored: ScoredRankings) -> Iterator[Order]:
    """How people ordered the pictures that every scorer has a number for."""
    for number, ranking in enumerate(scored.rankings):
        if ranking.annotator:
            places = scored.places[number]
            fit = [at for at, rank in enumerate(ranking.order) if rank and scored.usable[places[at]]]
            ranks = np.array(ranking.order, dtype=np.float64)[fit]
            yield Order(ranking.annotator, int(scored.prompts[number]), places[fit], ranks)


def agreement_section(
    scored: ScoredRankings, estimator: Estimator, researchers: Sequence[str] = ()
) -> Section | None:
    """Table 1; None where no two people ranked the same pictures.

    Args:
        scored: The rankings.
        estimator: How estimates are made.
        researchers: Names of the people that the others are measured against.
    """
    ballot = Ballot(orders_of(scored), dict(zip(scored.scorers, scored.values)))
    return agreement_of(ballot, estimator.options, researchers)


def agreement_of(ballot: Ballot, options: IntervalOptions, researchers: Sequence[str] = ()) -> Section | None:
    """Table 1 of what people and scorers chose; None where no two people ranked the same pictures.

    Args:
        ballot: Their choices.
        options: How intervals are made.
        researchers: Names of the people that the others are measured against.
    """
    if len(ballot.people) < 2:
        return None
    part = Estimator(options, ballot.prompts)
    experts = [votes for name, votes in ballot.people.items() if name in researchers]
    others = [votes for name, votes in ballot.people.items() if name not in researchers]
    pool = np.array(others, np.int8).reshape(len(others), len(ballot.prompts))
    ensemble, left = majority(pool), list(majority_of_others(pool))
    couples: dict[tuple[str, str], list[tuple[Votes, Votes]]] = {
        (RESEARCHER, RESEARCHER): _every_two(experts),
        (RESEARCHER, ANNOTATOR): [(one, two) for one in experts for two in others],
        (RESEARCHER, ENSEMBLE): [(one, ensemble) for one in experts if len(others) > 1],
        (ANNOTATOR, ANNOTATOR): _every_two(others),
        (ANNOTATOR, ENSEMBLE): list(zip(others, left)) if len(others) > 1 else [],
    }
    for scorer, votes in ballot.scorers.items():
        couples[scorer, RESEARCHER] = [(votes, each) for each in experts]
        couples[scorer, ANNOTATOR] = [(votes, each) for each in others]
        couples[scorer, ENSEMBLE] = [(votes, ensemble)] if len(others) > 1 else []
    found = {pair: agreement_cell(each, part) for pair, each in couples.items()}
    figures = [
        Figure.made(
            "agreement",
            "agreement",
            estimate,
            "pairs of people" if of > 1 else "pairs",
            scorer=one,
            against=two,
            deviation=known(deviation),
        )
        for (one, two), (estimate, deviation, of) in found.items()
        if estimate.count
    ]
    columns = [each for each in (RESEARCHER, ANNOTATOR, ENSEMBLE) if each != RESEARCHER or experts]
    rows = [
        (one, *(_text(found.get((one, two)) or found.get((two, one))) for two in columns))
        for one in (*columns, *ballot.scorers)
    ]
    people = f"{count_of(len(others), 'annotator')}" + (
        f" and {count_of(len(experts), 'researcher')}" if experts else ""
    )
    unknown = [name for name in researchers if name not in ballot.people]
    sentences = [
        f"{count_of(len(ballot.prompts), 'pair')} of pictures of {count_of(len(set(ballot.prompts.tolist())), 'prompt')} were ranked by "
        f"two people or more: {people}."
    ]
    if ballot.left_out:
        sentences.append(
            f"{count_of(ballot.left_out, 'further voter')} left out, who share fewer pairs with others than these {MOST_VOTERS}."
        )
    if unknown:
        sentences.append(f"Not among them, though named as researchers: {', '.join(unknown)}.")
    return Section(
        "agreement",
        "Agreement between people and scorers" if ballot.scorers else "Agreement between people",
        "How often two choose alike, in percent of the pairs that both order (pairs that one of them ties are left out), with the "
        "standard deviation over couples, and the interval by prompt. The ensemble is what most annotators chose; where as many chose the "
        "one as the other it has no choice. An annotator is compared with the ensemble of the others. "
        + (
            "A scorer that agrees with people about as often as people with one another can hardly be better. "
            if ballot.scorers
            else ""
        )
        + f"Couples with fewer than {LEAST_PAIRS} pairs in common are left out.",
        [Table(("", *columns), rows)],
        figures,
        sentences,
    )


def _every_two(votes: Sequence[Votes]) -> list[tuple[Votes, Votes]]:
    return [(one, two) for at, one in enumerate(votes) for two in votes[at + 1 :]]


def agreement_cell(
    couples: Sequence[tuple[Votes, Votes]], estimator: Estimator
) -> tuple[Estimate, float, int]:
    """Mean agreement over couples with its interval by prompt, its standard deviation over couples, and how many couples.

    Couples with fewer than :data:`LEAST_PAIRS` pairs in common do not count.
    """
    counted = [(couple, agreed_pairs(*couple)) for couple in couples]
    kept = [(couple, found) for couple, found in counted if found[1] >= LEAST_PAIRS]
    if not kept:
        return Estimate(math.nan), math.nan, 0
    shares = np.array([agreed / of for _, (agreed, of) in kept])
    low = high = math.nan
    if len(kept) * len(estimator.prompts) <= _MOST_CELLS:
        both = np.array([(one != 0) & (two != 0) for (one, two), _ in kept]).T.astype(np.float64)
        same = both * np.array([one == two for (one, two), _ in kept]).T
        draws = estimator.draws(same, both)
        known_draws = np.isfinite(draws)
        number = known_draws.sum(axis=1)
        sums = np.where(known_draws, draws, 0.0).sum(axis=1)
        low, high = estimator.interval(
            np.divide(sums, number, out=np.full(len(sums), math.nan), where=number > 0)
        )
    deviation = float(shares.std(ddof=1)) if len(shares) > 1 else math.nan
    count = len(kept) if len(kept) > 1 else kept[0][1][1]
    return Estimate(float(shares.mean()), low, high, count), deviation, len(kept)


def _text(found: tuple[Estimate, float, int] | None) -> str:
    if found is None or math.isnan(found[0].value):
        return "-"
    estimate, deviation, _ = found
    value, _, rest = estimate.percent().partition(" ")
    return " ".join(filter(None, (value, "" if math.isnan(deviation) else f"± {100 * deviation:.1f}", rest)))


def wins_section(scored: ScoredRankings, estimator: Estimator) -> Section | None:
    """Win rates between the sources of pictures; None where no ranking names two."""
    found = [
        win_counts(ranking.order, ranking.sources, ranking.knows_ties, shared=True) if ranking.sources else {}
        for ranking in scored.rankings
    ]
    sources = list(
        dict.fromkeys(
            source for ranking in scored.rankings for each in ranking.sources for source in sources_of(each)
        )
    )
    results: dict[tuple[str, str], FloatArray] = {}
    for number, each in enumerate(found):
        for (one, two), (wins, ties, losses) in each.items():
            for pair, result in (((one, two), (wins, ties, losses)), ((two, one), (losses, ties, wins))):
                results.setdefault(pair, np.zeros((len(found), 3)))[number] += result
    if not results:
        return None
    figures, rows, sentences = [], [], []
    for one in sources:
        against = [two for two in sources if (one, two) in results]
        compared = {two: results[one, two] for two in against}
        if len(against) > 1:
            compared[_ALL] = np.sum([*compared.values()], axis=0)
        for two, counts in compared.items():
            rate = estimator.ratio(counts[:, 0], counts[:, 0] + counts[:, 2])
            won, level, lost = (int(each) for each in counts.sum(axis=0))
            p = _toss(counts, estimator)
            figures += [
                Figure.made("wins", "win rate", rate, "pairs", scorer=one, against=two),
                Figure.made("wins", "ties", Estimate(level, count=level), "pairs", scorer=one, against=two),
                Figure.made("wins", "p", Estimate(p), "prompts", scorer=one, against=two),
            ]
            rows.append((one, two, f"{won:,}", f"{level:,}", f"{lost:,}", rate.percent(), f"{p:.3f}"))
            if two in sources and sources.index(one) < sources.index(two) and not p < 0.05:
                sentences.append(f"{one} and {two} cannot be told apart with these rankings (p {p:.3f}).")
    return Section(
        "wins",
        "Whose pictures win",
        "How often people rank a picture of the one source above a picture of the other for the same prompt, in percent of the pairs that "
        "they order; ties stand apart. 50 would be a toss. The p value is from a permutation test by prompt, as for scorers, and is not "
        "corrected for the number of comparisons.",
        [Table(("Source", "Against", "Wins", "Ties", "Losses", "Win rate", "p"), rows, texts=2)],
        figures,
        sentences,
    )


def _toss(counts: FloatArray, estimator: Estimator) -> float:
    """P value that both sources win as often."""
    number = int(estimator.prompts.max(initial=-1)) + 1
    by_prompt = sums_by_group(counts[:, 0] - counts[:, 2], estimator.prompts, number)
    return paired_test(by_prompt, seed=estimator.options.seed)
