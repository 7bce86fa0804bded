"""From vectors to chosen prompts: the graph, the votes in each group, and what the choice covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imagereward_core.cli.console import Console
from imagereward_core.plain import count_of

from .coverage import DRAWS, Coverage, averaged, coverage_of, distances_to, measured_prompts
from .errors import SelectionError
from .graph.build import build_graph
from .graph.supporters import supporters_of
from .graph.votes import choose_by_votes, covered_by
from .options import SelectOptions
from .vectors.work import Work


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Chosen prompts, group by group, in each in the order in which they were chosen.

    Attributes:
        points: int64 [M], their numbers among the prompts.
        groups: int64 [M], 0 for the first group.
        scores: float64 [M], the score of each when it was chosen.
        votes: int64 [M], how many prompts have it among their neighbours.
        coverage: What the choice covers.
        random: What as many prompts, chosen by chance in each group, cover: the mean of several draws.
        measured: How many prompts the distances are of.
        recall: Of the search for neighbours, where it does not find all; else None.
    """

    points: NDArray[np.int64]
    groups: NDArray[np.int64]
    scores: NDArray[np.float64]
    votes: NDArray[np.int64]
    coverage: Coverage
    random: Coverage
    measured: int
    recall: float | None


def shares(total: int, groups: int) -> list[int]:
    """How many are chosen in each group: as equal as can be, the first ones have one more.

    >>> shares(10, 4)
    [3, 3, 2, 2]
    """
    return [total // groups + (place < total % groups) for place in range(groups)]


def check_numbers(count: int, prompts: int, options: SelectOptions) -> None:
    """Makes sure that so many can be chosen of so many.

    Raises:
        SelectionError: There are fewer prompts, or fewer than groups.
    """
    if count > prompts:
        raise SelectionError(
            f"--count {count}: found {count_of(prompts, 'different prompt')}; expected at least as many as are to be chosen. Ask for fewer"
        )
    if options.groups > min(count, prompts):
        raise SelectionError(
            f"--groups {options.groups}: with {count_of(count, 'prompt')} to choose some groups would have none; expected at most "
            f"{count} groups"
        )
    if options.groups > 1 and options.search != "exact":
        raise SelectionError(f"--search {options.search} goes without --groups; leave one of them out")


def choose(
    work: Work,
    vectors: NDArray[np.floating],
    facts: Mapping[str, Any],
    count: int,
    options: SelectOptions,
    device: torch.device,
    console: Console,
) -> Choice:
    """Chooses prompts by their vectors.

    Args:
        work: Where the graph is kept.
        vectors: float [N, d] of length 1, may be mapped from a file.
        facts: What they depend on.
        count: How many to choose; at most N.
        options: How.
        device: Where products of matrices are computed.
        console: Told how far it is.

    Raises:
        SelectionError: The numbers do not go together, or the disk has no room.
        OSError: The graph cannot be written.
    """
    total = len(vectors)
    check_numbers(count, total, options)
    with console.count(total, "prompts have their neighbours") as progress:
        graph = build_graph(work, vectors, facts, options, device, progress)
    rng = np.random.default_rng([options.seed, 1])
    chosen: list[tuple[NDArray[Any], ...]] = []
    drawn: list[list[NDArray[np.int64]]] = [[] for _ in range(DRAWS)]
    covered, covered_by_chance = 0, np.zeros(DRAWS)
    with console.count(count, "prompts chosen") as progress:
        for number, (wanted, (prompts, neighbours)) in enumerate(
            zip(shares(count, options.groups), graph.groups())
        ):
            supporters = supporters_of(neighbours)
            before = sum(len(each[0]) for each in chosen)
            votes = choose_by_votes(supporters, wanted, partial(_tell, progress, before))
            chosen.append(
                (
                    prompts[votes.points],
                    np.full(wanted, number),
                    votes.scores,
                    supporters.counts[votes.points],
                )
            )
            covered += int(votes.covered.sum())
            for place in range(DRAWS):
                draw = rng.choice(len(prompts), wanted, replace=False)
                drawn[place].append(prompts[draw])
                covered_by_chance[place] += covered_by(supporters, draw).sum()
    points, groups, scores, number_of_votes = (np.concatenate(each) for each in zip(*chosen))
    measured = measured_prompts(total, options.seed)
    with console.count(DRAWS + 1, "choices measured") as progress:
        coverage = coverage_of(distances_to(vectors, measured, points, device), covered / total)
        by_chance = []
        for place in range(DRAWS):
            progress(place + 1)
            distances = distances_to(vectors, measured, np.concatenate(drawn[place]), device)
            by_chance.append(coverage_of(distances, float(covered_by_chance[place]) / total))
    return Choice(
        points=points,
        groups=groups,
        scores=scores,
        votes=number_of_votes,
        coverage=coverage,
        random=averaged(by_chance),
        measured=len(measured),
        recall=graph.recall,
    )


def _tell(progress: Callable[..., None], before: int, done: int) -> None:
    progress(before + done)
