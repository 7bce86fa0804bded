"""Every two generators compared: the difference, whether it may be chance, and how many prompts would show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from imagereward_core.metrics.uncertainty import fewest_prompts, holm, paired_test, prompts_needed
from imagereward_core.plain import count_of
from imagereward_core.scores import FloatArray, IntArray

from ...figures.document import Figure, Table, known
from ...figures.estimates import Estimate, Estimator
from ..accuracy import SURE, p_text
from ..options import EvaluateOptions

_MOST_NEEDED = 100_000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a comparison of two generators comes to.

    Attributes:
        one, two: Their names.
        difference: The first minus the second.
        p: How often chance alone gives as much, by a permutation test in which the two change sides prompt by prompt.
        p_corrected: The same, corrected for the number of comparisons (Holm).
        prompts: On how many prompts it rests.
        needed: About how many would show a difference of this size; infinite where there is none to be seen.
        least: With fewer no difference can be shown among so many comparisons, however large it is.
    """

    one: str
    two: str
    difference: Estimate
    p: float
    p_corrected: float
    prompts: int
    needed: float
    least: int

    def sentence(self, by: str, unit: Callable[[float], str]) -> str:
        """In plain words.

        Args:
            by: By whose judgement, to begin the sentence with.
            unit: Writes a difference.
        """
        if not self.prompts:
            return f"{by}, {self.one} and {self.two} were never compared."
        size = unit(abs(self.difference.value))
        if self.p_corrected < SURE and self.difference.value:
            better, worse = (self.one, self.two) if self.difference.value > 0 else (self.two, self.one)
            return f"{by}, {better} is better than {worse}, by {size} (p {p_text(self.p_corrected)})."
        told = (
            f"{by}, {self.one} and {self.two} cannot be told apart with this many pictures: over {count_of(self.prompts, 'prompt')} they "
            f"differ by {size}, which may be chance (p {p_text(self.p_corrected)})."
        )
        return f"{told} {self._how_many()}"

    def _how_many(self) -> str:
        if self.prompts < self.least:
            return f"So few prompts can show no difference, however large it is: at least {self.least} are needed."
        if self.needed == math.inf:
            return "No number of prompts can be named: no difference is to be seen, or too few prompts were compared."
        if self.needed > _MOST_NEEDED:
            return f"If they really differ by so little, more than {_MOST_NEEDED:,} prompts would be needed to see it."
        return f"If they really differ by so much, about {rounded_up(self.needed):,} prompts would be needed to see it four times in five."


def rounded_up(number: float) -> int:
    """Two digits are enough for what is a guess.

    >>> rounded_up(341.2), rounded_up(7.1)
    (350, 8)
    """
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step


def verdicts(
    generators: Sequence[str],
    differences: Callable[[int, int], FloatArray],
    options: EvaluateOptions,
) -> list[Verdict]:
    """Every two of ``generators`` compared.

    Args:
        generators: Their names.
        differences: For two of them, by place, the difference for every prompt on which they met, float64 [P].
        options: How intervals are made.
    """
    pairs = list(combinations(range(len(generators)), 2))
    found = [differences(one, two) for one, two in pairs]
    p_values = [paired_test(each, seed=options.seed) for each in found]
    made = []
    for (one, two), by_prompt, p, corrected in zip(pairs, found, p_values, holm(p_values)):
        places: IntArray = np.arange(len(by_prompt), dtype=np.int64)
        difference = Estimator(options, places).ratio(by_prompt, np.ones(len(by_prompt)))
        needed = prompts_needed(by_prompt, len(pairs), SURE)
        if corrected >= SURE:  # so many have not been enough
            needed = max(needed, len(by_prompt) + 1.0)
        made.append(
            Verdict(
                one=generators[one],
                two=generators[two],
                difference=difference,
                p=p,
                p_corrected=corrected,
                prompts=len(by_prompt),
                needed=needed,
                least=fewest_prompts(len(pairs), SURE),
            )
        )
    return made


def figures_of(found: Sequence[Verdict], section: str, scorer: str) -> list[Figure]:
    """Verdicts one figure a row; the generators are ``group`` and ``against``."""
    made = []
    for each in found:
        whose = {"scorer": scorer, "group": each.one, "against": each.two}
        made += [
            Figure.made(section, "difference", each.difference, "prompts", **whose),
            Figure.made(section, "p", Estimate(each.p, count=each.prompts), "prompts", **whose),
            Figure.made(
                section, "p corrected", Estimate(each.p_corrected, count=each.prompts), "prompts", **whose
            ),
            Figure.made(
                section,
                "prompts needed",
                Estimate(math.nan if each.needed == math.inf else each.needed, count=each.prompts),
                "prompts",
                **whose,
            ),
        ]
    return made


def table_of(found: Sequence[Verdict], title: str, text: Callable[[Estimate], str]) -> Table:
    """Verdicts as people read them."""
    rows = [
        (
            each.one,
            each.two,
            text(each.difference),
            p_text(each.p),
            p_text(each.p_corrected),
            "-" if known(each.needed) is None or each.needed == math.inf else f"{rounded_up(each.needed):,}",
        )
        for each in found
    ]
    return Table(("Generator", "Against", "Difference", "p", "p corrected", "Prompts needed"), rows, 2, title)
