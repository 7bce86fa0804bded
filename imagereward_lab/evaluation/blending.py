"""Accuracy of weighted scorers over the weight: the best weight found on some prompts, reported on others (arXiv 2304.05977, Figure 14)."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np

from imagereward_core.metrics.uncertainty import paired_test, sums_by_group
from imagereward_core.scorers.blend import Blend, BlendMember, combine
from imagereward_core.scores import FloatArray, Scores

from ..figures.document import Drawing, Figure, Section, Table
from ..figures.estimates import Estimate, Estimator
from .accuracy import counts_of, difference_sentence
from .options import EvaluateOptions
from .scoring import ScoredRankings

WEIGHTS = tuple(step / 20 for step in range(21))
_BLEND = "blend:"


def in_first_half(prompt: str) -> bool:
    """Whether a prompt belongs to the half on which weights are found, wherever it stands in a file.

    >>> in_first_half("a red fox"), in_first_half("a cat")
    (True, False)
    """
    return hashlib.sha256(prompt.encode("utf-8", "backslashreplace")).digest()[0] % 2 == 0


def halves(scored: ScoredRankings) -> tuple[ScoredRankings, ScoredRankings]:
    """The rankings in two, by prompt: to find a weight on, and to report it on."""
    first = [at for at, ranking in enumerate(scored.rankings) if in_first_half(ranking.prompt)]
    second = sorted(set(range(len(scored.rankings))) - set(first))
    return scored.part(first), scored.part(second)


def blends_section(
    find: ScoredRankings, report: ScoredRankings, estimator: Estimator[EvaluateOptions], how: str
) -> Section | None:
    """Accuracy of every two scorers over their weight; None where there are no two.

    Args:
        find: Rankings on which the weight is found.
        report: Others, on which its accuracy is reported.
        estimator: How estimates are made.
        how: How the two came about, in a sentence.
    """
    singles = [each for each in report.scores if not each.scorer.startswith(_BLEND)]
    if len(singles) < 2 or not find.rankings or not report.rankings:
        return None
    figures, rows, sentences, drawings = [], [], [], []
    for one, two in combinations(singles, 2):
        sweep = _Sweep(one, two, find, report, estimator)
        figures += sweep.figures()
        rows.append(sweep.row())
        sentences.append(sweep.sentence())
        drawings.append(sweep.drawing())
    return Section(
        "blends",
        "Two scorers together",
        f"Accuracy of weighted sums of two scorers ({estimator.options.rules.title}), by the method '{estimator.options.blend_method}' of "
        f"blends. {how} A weight that was found on the very pairs on which it is reported looks better than it is, so the two are kept "
        "apart. Use a blend by the name in the last column, with --scorer.",
        [
            Table(
                (
                    "First",
                    "Second",
                    "Best weight of the first",
                    "Together",
                    "First alone",
                    "Second alone",
                    "Name",
                ),
                rows,
                texts=2,
            )
        ],
        figures,
        sentences,
        drawings,
    )


class _Sweep:
    """The accuracy of two scorers over the weight of the first."""

    def __init__(
        self,
        one: Scores,
        two: Scores,
        find: ScoredRankings,
        report: ScoredRankings,
        estimator: Estimator[EvaluateOptions],
    ) -> None:
        self.one, self.two, self.options = one, two, estimator.options
        self.rules = estimator.options.rules
        values = np.array([self._blended(weight) for weight in WEIGHTS])
        values[:, ~report.usable] = np.nan
        found, told = counts_of(find, values), counts_of(report, values)
        self.found = [self.rules.accuracy(counts) for counts in found]
        part = Estimator(estimator.options, report.prompts)
        self.parts = [self.rules.parts(counts) for counts in told]
        self.told = [part.ratio(*each) for each in self.parts]
        self.prompts = report.prompts
        self.best = _middle(np.array(self.found))

    def _blended(self, weight: float) -> FloatArray:
        return combine(self._blend(weight), [self.one, self.two]).scores.values

    def _blend(self, weight: float) -> Blend:
        members = BlendMember(self.one.scorer, weight), BlendMember(self.two.scorer, round(1 - weight, 2))
        return Blend("weights", members, self.options.blend_method)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """The blend as it may be given to a command."""
        members = self._blend(WEIGHTS[self.best]).members
        parts = ",".join(f"{each.scorer}={each.weight:g}" for each in members)
        return f"{parts}@{self.options.blend_method}"

    def figures(self) -> list[Figure]:
        of = "pairs" if self.rules.over == "pairs" else "rankings"
        names = {"scorer": self.one.scorer, "against": self.two.scorer}
        made = []
        for weight, found, told in zip(WEIGHTS, self.found, self.told):
            group = f"weight {weight:.2f}"
            made += [
                Figure.made(
                    "blends", "accuracy where weights are found", Estimate(found), of, group=group, **names
                ),
                Figure.made("blends", "accuracy", told, of, group=group, **names),
            ]
        best = f"weight {WEIGHTS[self.best]:.2f}"
        return [
            *made,
            Figure.made(
                "blends", "accuracy at the best weight", self.told[self.best], of, group=best, **names
            ),
        ]

    def row(self) -> tuple[str, ...]:
        together, first, second = self.told[self.best], self.told[-1], self.told[0]
        return (
            self.one.scorer,
            self.two.scorer,
            f"{WEIGHTS[self.best]:.2f}",
            together.percent(),
            first.percent(),
            second.percent(),
            self.name,
        )

    def sentence(self) -> str:
        """Whether the blend is better than the one that was better alone where the weight was found."""
        alone = len(WEIGHTS) - 1 if self.found[-1] >= self.found[0] else 0
        name = self.one.scorer if alone else self.two.scorer
        if self.best == alone:
            return f"{name} alone was best where the weight was found; the other adds nothing to it."
        gained = self.parts[self.best][0] - self.parts[alone][0]
        estimate = Estimator(self.options, self.prompts).ratio(gained, self.parts[alone][1])
        sums = sums_by_group(gained, self.prompts, int(self.prompts.max()) + 1)
        return difference_sentence(self.name, name, estimate, paired_test(sums, seed=self.options.seed))

    def drawing(self) -> Drawing:
        return Drawing(
            "lines",
            f"{self.one.scorer} with {self.two.scorer}",
            f"weight of {self.one.scorer}",
            "accuracy, %",
            [f"{weight:g}" for weight in WEIGHTS],
            {
                "where the weight is found": [100 * each for each in self.found],
                "where it is reported": [100 * each.value for each in self.told],
            },
        )


def _middle(values: FloatArray) -> int:
    """Place of the largest value; of several equal ones the middle one, which is the least chance."""
    best = np.flatnonzero(values >= np.nanmax(values) - 1e-12) if np.isfinite(values).any() else np.array([0])
    return int(best[len(best) // 2])
