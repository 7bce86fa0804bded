"""All sections of a comparison of generators, from pictures with scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagereward_core.metrics.agreement import average_ranks
from imagereward_core.metrics.uncertainty import FEW_PROMPTS
from imagereward_core.plain import count_of

from ...figures.document import Evaluation, Figure, Section, Table
from ...figures.estimates import Estimate, Estimator
from ..options import EvaluateOptions
from .boxes import boxes_section
from .contest import Contest, contest_of_scores
from .pictures import Matched
from .results import Compared, Results
from .verdicts import figures_of, table_of, verdicts

KIND = "comparison of generators"
COMMAND = "imagereward compare-models"


@dataclass(frozen=True, eq=False)
class Standing:
    """How G generators stand by one scorer.

    Attributes:
        results: What it rests on.
        means: Mean score over prompts, float64 [G], as estimates.
        ranks: 1 is best, with an interval.
        draws: Mean scores over prompts drawn anew, float64 [resamples, G].
        contest: The best pictures against one another.
    """

    results: Results
    means: tuple[Estimate, ...]
    ranks: tuple[Estimate, ...]
    draws: Any
    contest: Contest


def standing(results: Results, options: EvaluateOptions) -> Standing:
    """Where everybody stands."""
    number, generators = results.means.shape
    estimator = Estimator(options, np.arange(number, dtype=np.int64))
    ones = np.ones_like(results.means)
    draws = estimator.draws(results.means, ones)
    means = results.means.mean(axis=0)
    places = average_ranks(means)
    drawn = np.array([average_ranks(row) if np.isfinite(row).all() else row for row in draws])
    return Standing(
        results,
        tuple(
            Estimate(float(means[at]), *estimator.interval(draws[:, at]), number) for at in range(generators)
        ),
        tuple(
            Estimate(float(places[at]), *estimator.interval(drawn[:, at]), number) for at in range(generators)
        ),
        draws,
        contest_of_scores(results.best),
    )


def scores_section(compared: Compared, standings: Sequence[Standing], options: EvaluateOptions) -> Section:
    """Means, ranks and wins by every scorer."""
    figures: list[Figure] = []
    tables, sentences = [], []
    for each in standings:
        scorer = each.results.scorer
        figures += [
            figure
            for at, name in enumerate(compared.generators)
            for figure in (
                Figure.made("scores", "mean", each.means[at], "prompts", scorer=scorer, group=name),
                Figure.made("scores", "rank", each.ranks[at], "prompts", scorer=scorer, group=name),
            )
        ]
        won, rows = contest_parts(each.contest, compared.generators, "scores", scorer, options)
        figures += won
        order = np.argsort([estimate.value for estimate in each.ranks], kind="stable").tolist()
        tables.append(
            Table(
                ("Generator", "Rank", "Mean", *CONTEST_COLUMNS),
                [
                    (compared.generators[at], _rank(each.ranks[at]), each.means[at].plain(), *rows[at])
                    for at in order
                ],
                1,
                scorer,
            )
        )
    pictures = sum(len(values) for values in compared.results[0].values) if compared.results else 0
    sentences.append(
        f"Compared on {count_of(len(compared.scored.rankings), 'prompt')} with {count_of(pictures, 'picture')} of "
        f"{count_of(len(compared.generators), 'generator')}."
    )
    if compared.empty:
        sentences.append(
            f"{count_of(compared.empty, 'prompt')} more left out, because a generator has no picture with a score for "
            f"{'it' if compared.empty == 1 else 'them'}."
        )
    if compared.uneven:
        sentences.append(
            f"For {count_of(compared.uneven, 'prompt')} some generators have more pictures than others. The best of more pictures would be "
            "better for that alone, so wins count the best among the first ones, equally many of each."
        )
    return Section(
        "scores",
        "Scores and wins",
        "Mean: the mean score of a generator's pictures, every prompt counting the same; higher is better. Scores of different scorers are "
        "on different scales. Rank: 1 is the highest mean. In brackets the interval that comes from which prompts were drawn: ranks that "
        "overlap may change places with other prompts. First: for how many prompts its best picture has the highest score of all; where "
        "several are equal they share it. Wins: over the others, one by one, as in the paper's Table 4. Win rate: share in percent, "
        "ties counting half; 50 is the middle.",
        tables,
        figures,
        sentences,
    )


CONTEST_COLUMNS = ("First", "Wins", "Ties", "Win rate")


def contest_parts(
    contest: Contest, generators: Sequence[str], section: str, scorer: str, options: EvaluateOptions
) -> tuple[list[Figure], list[tuple[str, ...]]]:
    """Figures of a contest, and for each generator the cells of ``CONTEST_COLUMNS``."""
    estimator = Estimator(options, contest.prompts)
    points, judged = contest.points, contest.judged
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    rounds = int(np.count_nonzero(contest.firsts.sum(axis=1)))
    for at, name in enumerate(generators):
        rate = estimator.ratio(points[:, at], judged[:, at])
        of = int(judged[:, at].sum())
        first = Estimate(float(contest.firsts[:, at].sum()), count=rounds)
        wins = Estimate(float(contest.won[:, at].sum()), count=of)
        ties = Estimate(float(contest.tied[:, at].sum()), count=of)
        figures += [
            Figure.made(section, measure, estimate, unit, scorer=scorer, group=name)
            for measure, estimate, unit in (
                ("first", first, "prompts" if section == "scores" else "answers"),
                ("wins", wins, "pairs"),
                ("ties", ties, "pairs"),
                ("win rate", rate, "pairs"),
            )
        ]
        rows.append((f"{first.value:,.5g}", f"{wins.value:,.0f}", f"{ties.value:,.0f}", rate.percent()))
    return figures, rows


def comparisons_section(compared: Compared, options: EvaluateOptions) -> Section:
    """Every two generators, by every scorer."""
    figures: list[Figure] = []
    tables, sentences = [], []
    for each in compared.results:
        found = verdicts(compared.generators, each.differences, options)
        figures += figures_of(found, "comparisons", each.scorer)
        tables.append(table_of(found, each.scorer, Estimate.plain))
        sentences += [verdict.sentence(f"By {each.scorer}", "{:.3f}".format) for verdict in found]
    return Section(
        "comparisons",
        "Which generators differ?",
        "Difference of the mean scores on the same prompts, the first minus the second. The p value is from a paired permutation test by "
        "prompt: how often so large a difference would come about if for every prompt it were a toss which generator had which result. "
        "Corrected is for the number of comparisons by one scorer (Holm); below 0.05 generators are called different. Prompts needed is a "
        "guess from how much prompts differ: so many would show a difference of this size four times in five.",
        tables,
        figures,
        sentences,
    )


def _rank(estimate: Estimate) -> str:
    value = f"{estimate.value:g}"
    return value if math.isnan(estimate.low) else f"{value} ({estimate.low:.3g} to {estimate.high:.3g})"


def compare(
    found: Matched,
    compared: Compared,
    standings: Sequence[Standing],
    options: EvaluateOptions,
    facts: Mapping[str, Any],
    further: Sequence[Section] = (),
    warnings: Sequence[str] = (),
) -> Evaluation:
    """The whole comparison.

    Args:
        found: Pictures of the generators.
        compared: Their scores.
        standings: Where they stand by every scorer.
        options: How figures are made.
        facts: What was compared, by name.
        further: Sections on what else there is to compare with.
        warnings: What came up while these were made.
    """
    prompts = len(compared.scored.rankings)
    notes = [*compared.scored.remarks, *warnings]
    if left := found.sentence():
        notes.append(left)
    if prompts < FEW_PROMPTS:
        notes.append(
            f"There {'is' if prompts == 1 else 'are'} {count_of(prompts, 'prompt')} alone; with fewer than {FEW_PROMPTS} the intervals are "
            "too narrow, and a difference must be large to be seen."
        )
    if compared.scored.stopped:
        notes.append("The run was stopped before all pictures were scored; the figures are of the others.")
    sections = [
        scores_section(compared, standings, options),
        comparisons_section(compared, options),
        boxes_section(compared),
        *further,
    ]
    return Evaluation(
        title=f"{count_of(len(compared.generators), 'generator')} compared by {compared.scored.scorers[0]}",
        facts=facts,
        sections=sections,
        warnings=notes,
        failures=[*found.unmatched, *compared.failures],
        kind=KIND,
        command=COMMAND,
        without="They are in no figure.",
    )
