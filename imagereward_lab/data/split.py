"""Splits by prompt: all rankings of a prompt are in one, so that nothing of the test is seen in training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from imagereward_core.settings import check, setting

from .prompts import prompt_key, prompt_place
from .ranking import Ranking, RankingError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SET_ASIDE = "set-aside"
"""Rankings of test prompts by annotators whose judgement is not the test's: neither trained on nor tested with."""
_STRICTEST = (TEST, VALIDATION, TRAIN)


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How rankings are parted."""

    test: float = setting(10.0, "Share of the prompts for the test", low=0, high=100, unit="percent")
    validation: float = setting(
        10.0,
        "Share of the prompts for validation, by which the best checkpoint is chosen",
        low=0,
        high=100,
        unit="percent",
    )
    seed: int = setting(0, "Another number parts the prompts otherwise", low=0, high=2**31)
    least_pairs: int = setting(
        20,
        "With --test-by-agreement: annotators who share fewer pairs than this with the researchers are not judged",
        low=1,
        high=10**6,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.test + self.validation > 100:
            raise RankingError(
                f"found {self.test:g} % for the test and {self.validation:g} % for validation; expected at most 100 % together"
            )


@dataclass(frozen=True)
class Agreement:
    """How often an annotator agrees with the researchers about the better of two pictures that both ranked.

    Attributes:
        annotator: Who.
        agreeing: Pairs on which they agree.
        pairs: Pairs for which both named a better one.
        prompts: How many prompts the annotator ranked.
        chosen: Whether this annotator's prompts are in the test.
    """

    annotator: str
    agreeing: int
    pairs: int
    prompts: int
    chosen: bool = False

    @property
    def share(self) -> float:
        """Of the pairs, NaN without any."""
        return self.agreeing / self.pairs if self.pairs else float("nan")


def split_by_prompt(
    rankings: Iterable[Ranking], options: SplitOptions, *, anew: bool = False
) -> list[Ranking]:
    """Rankings with their splits, by seed and text of the prompt: data that are added later move no prompt.

    Args:
        rankings: What to part.
        options: Shares and seed.
        anew: Whether splits that rankings have are replaced. Otherwise they stay, other rankings of the same prompt follow, and a prompt
            that is in several goes to the strictest of them: test, then validation.
    """
    every = list(rankings)
    given = {} if anew else _given(every)

    def split_of(ranking: Ranking) -> str:
        held = given.get(prompt_key(ranking.prompt))
        return held if held is not None else _drawn(ranking.prompt, options)

    return [replace(ranking, split=split_of(ranking)) for ranking in every]


def _given(rankings: Sequence[Ranking]) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for ranking in rankings:
        if ranking.split:
            found[prompt_key(ranking.prompt)].add(ranking.split)
    return {
        key: next((name for name in _STRICTEST if name in names), min(names)) for key, names in found.items()
    }


def _drawn(prompt: str, options: SplitOptions) -> str:
    place = 100 * prompt_place(prompt, options.seed)
    return (
        TEST if place < options.test else VALIDATION if place < options.test + options.validation else TRAIN
    )


def split_by_agreement(
    rankings: Iterable[Ranking], researchers: Iterable[str], options: SplitOptions
) -> tuple[list[Ranking], list[Agreement]]:
    """Rankings with their splits, the test being of prompts by the annotators who agree most with the researchers.

    As in arXiv 2304.05977, 2.2 and 3.1. Annotators are compared with each researcher on the pairs of pictures both ranked for the same
    prompt, and taken from the most agreeing on until their prompts are the wanted share; of the last one as many as are missing. Prompts
    that a researcher ranked are not in the test, since they chose who is. Rankings of test prompts by anybody else are set aside. The rest
    is parted as in :func:`split_by_prompt`.

    Args:
        rankings: What to part; splits they have are replaced.
        researchers: Names of the annotators who are researchers.
        options: Shares, seed and how many shared pairs an annotator needs to be judged.

    Returns:
        The rankings, and all annotators who can be judged, the most agreeing first.

    Raises:
        RankingError: No researcher ranked anything, or nobody shares enough pairs with them.
    """
    every, leaders = list(rankings), frozenset(researchers)
    missing = leaders - {ranking.annotator for ranking in every}
    if missing or not leaders:
        names = sorted({ranking.annotator for ranking in every} - {""})
        known = f"annotators here are {', '.join(names[:20])}" if names else "the rankings name no annotators"
        raise RankingError(f"found no ranking by {', '.join(sorted(missing)) or 'a researcher'}; {known}")
    judged = agreements(every, leaders, options.least_pairs)
    if not judged:
        raise RankingError(
            f"found no annotator who shares {options.least_pairs} pairs with the researchers; expected some who ranked the same pictures. "
            "Take fewer with --least-pairs"
        )
    seen = {prompt_key(ranking.prompt) for ranking in every if ranking.annotator in leaders}
    prompts: dict[str, set[str]] = defaultdict(set)
    for ranking in every:
        prompts[ranking.annotator].add(prompt_key(ranking.prompt))
    wanted = round(options.test / 100 * len({key for keys in prompts.values() for key in keys}))
    test: dict[str, str] = {}
    chosen = set()
    for each in judged:
        free = sorted(
            prompts[each.annotator] - seen - test.keys(),
            key=lambda key: (prompt_place(key, options.seed), key),
        )
        taken = free[: max(0, wanted - len(test))]
        test.update(dict.fromkeys(taken, each.annotator))
        if taken:
            chosen.add(each.annotator)
    rest = replace(options, test=0.0, validation=_rest(options))
    parted = []
    for ranking in every:
        key = prompt_key(ranking.prompt)
        if key in test:
            parted.append(replace(ranking, split=TEST if ranking.annotator in chosen else SET_ASIDE))
        else:
            parted.append(replace(ranking, split=_drawn(ranking.prompt, rest)))
    return parted, [replace(each, chosen=each.annotator in chosen) for each in judged]


def _rest(options: SplitOptions) -> float:
    """Share of validation among the prompts that are not in the test."""
    return 100 * options.validation / (100 - options.test) if options.test < 100 else 0.0


def agreements(rankings: Sequence[Ranking], researchers: frozenset[str], least_pairs: int) -> list[Agreement]:
    """Every annotator with at least ``least_pairs`` pairs shared with researchers, the most agreeing first."""
    said: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for ranking in rankings:
        if ranking.annotator in researchers:
            for pair, order in _orders(ranking).items():
                said[pair][ranking.annotator] = order
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    prompts: dict[str, set[str]] = defaultdict(set)
    for ranking in rankings:
        if ranking.annotator and ranking.annotator not in researchers:
            prompts[ranking.annotator].add(prompt_key(ranking.prompt))
            for pair, order in _orders(ranking).items():
                for other in said.get(pair, {}).values():
                    counts[ranking.annotator][0] += order == other
                    counts[ranking.annotator][1] += 1
    found = [
        Agreement(name, agreeing, pairs, len(prompts[name]))
        for name, (agreeing, pairs) in counts.items()
        if pairs >= least_pairs
    ]
    return sorted(found, key=lambda each: (-each.share, -each.pairs, each.annotator))


def _orders(ranking: Ranking) -> Mapping[tuple[str, str, str], int]:
    """For each strict pair, named the same whoever ranked it, whether the first (1) or the second (-1) is better."""
    key, order = prompt_key(ranking.prompt), ranking.order
    found = {}
    for one, two in combinations(range(len(order)), 2):
        if order[one] and order[two] and order[one] != order[two]:
            first, second = ranking.images[one], ranking.images[two]
            sign = 1 if order[one] < order[two] else -1
            found[key, min(first, second), max(first, second)] = sign if first < second else -sign
    return found
