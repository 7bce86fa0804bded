"""Agreement between people, their majority, and scorers (arXiv 2304.05977, Table 1), and whose pictures win (Figure 12)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from imagereward_core.metrics.uncertainty import paired_test, sums_by_group
from imagereward_core.metrics.voters import Votes, agreed_pairs, choices, majority, majority_of_others
from imagereward_core.metrics.wins import win_counts
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray

from .document import Figure, Section, Table, known
from .estimates import Estimate, Estimator
from .scoring import ScoredRankings

LEAST_PAIRS = 10
"""Two voters with fewer pairs in common are not compared: the result would be chance."""
_MOST_CELLS = 20_000_000
_ALL = "all others"
RESEARCHER, ANNOTATOR, ENSEMBLE = "researcher", "annotator", "ensemble"


class Ballot:
    """What everybody chose of all pairs that at least two people ranked.

    Attributes:
        people: For every person the choices, int8 [P].
        scorers: For every scorer likewise.
        prompts: For every pair the number of its prompt, int64 [P].
    """

    def __init__(self, scored: ScoredRankings) -> None:
        votes: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        prompts: dict[tuple[int, int], int] = {}
        for number, ranking in enumerate(scored.rankings):
            if not ranking.annotator:
                continue
            places = scored.places[number]
            fit = [at for at, rank in enumerate(ranking.order) if rank and scored.usable[places[at]]]
            pictures = places[fit]
            order = np.argsort(
                pictures, kind="stable"
            )  # a pair has one name, whatever the order of a ranking
            ranks = np.array(ranking.order, dtype=np.float64)[fit][order]
            one, two = np.triu_indices(len(order), 1)
            for first, second, choice in zip(
                pictures[order][one].tolist(),
                pictures[order][two].tolist(),
                choices(ranks, higher_is_better=False).tolist(),
            ):
                votes[first, second][ranking.annotator] += choice
                prompts[first, second] = int(scored.prompts[number])
        shared = [pair for pair, each in votes.items() if len(each) > 1]
        names = sorted({name for pair in shared for name in votes[pair]})
        self.people: dict[str, Votes] = {
            name: np.sign([votes[pair].get(name, 0) for pair in shared]).astype(np.int8) for name in names
        }
        first, second = (np.array([pair[end] for pair in shared], dtype=np.int64) for end in (0, 1))
        self.scorers: dict[str, Votes] = {
            scorer: np.sign(row[first] - row[second]).astype(np.int8) if shared else np.zeros(0, np.int8)
            for scorer, row in zip(scored.scorers, scored.values)
        }
        self.prompts = np.array([prompts[pair] for pair in shared], dtype=np.int64)


def agreement_section(
    scored: ScoredRankings, estimator: Estimator, researchers: Sequence[str] = ()
) -> Section | None:
    """Table 1; None where no two people ranked the same pictures.

    Args:
        scored: The rankings.
        estimator: How estimates are made.
        researchers: Names of the people that the others are measured against.
    """
    ballot = Ballot(scored)
    if len(ballot.people) < 2:
        return None
    part = Estimator(estimator.options, ballot.prompts)
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
    found = {pair: _cell(each, part) for pair, each in couples.items()}
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
    if unknown:
        sentences.append(f"Not among them, though named as researchers: {', '.join(unknown)}.")
    return Section(
        "agreement",
        "Agreement between people and scorers",
        "How often two choose alike, in percent of the pairs that both order (pairs that one of them ties are left out), with the "
        "standard deviation over couples, and the interval by prompt. The ensemble is what most annotators chose; where as many chose the "
        "one as the other it has no choice. An annotator is compared with the ensemble of the others. A scorer that agrees with people "
        "about as often as people with one another can hardly be better. Couples with fewer than "
        f"{LEAST_PAIRS} pairs in common are left out.",
        [Table(("", *columns), rows)],
        figures,
        sentences,
    )


def _every_two(votes: Sequence[Votes]) -> list[tuple[Votes, Votes]]:
    return [(one, two) for at, one in enumerate(votes) for two in votes[at + 1 :]]


def _cell(couples: Sequence[tuple[Votes, Votes]], estimator: Estimator) -> tuple[Estimate, float, int]:
    """Mean agreement over couples with its interval by prompt, its standard deviation over couples, and how many couples."""
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
        win_counts(ranking.order, ranking.sources, ranking.knows_ties) if ranking.sources else {}
        for ranking in scored.rankings
    ]
    sources = list(
        dict.fromkeys(source for ranking in scored.rankings for source in ranking.sources if source)
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
