"""The figures of the paper's Table 2 for the demo model: accuracy, recall and filter on held-out groups of eight drawn scenes.

Run as ``python -m benchmarks.demo_table2``. A group is one prompt with the scene that it asks for (the best), one that is both wrong and
flawed (the worst), and six with one fault each: wrong in one respect, or flawed. The ranks are those of ``held_out_group``; no prompt was
met in training.
"""

from __future__ import annotations

import argparse
import random
from typing import Any, cast

import numpy as np

from imagereward_core.scorers.engine import PictureScorer
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.inputs import Prepared
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.demo_model.dataset import HeldOutGroup, held_out_group
from imagereward_lab.evaluation.measure import measure
from imagereward_lab.evaluation.options import EvaluateOptions
from imagereward_lab.evaluation.scoring import ScoredRankings

from .machine import describe
from .scorers import save_results

PICTURES = 8


def eight(group: HeldOutGroup, seed: int) -> list[int]:
    """Places of eight pictures of a group: its best, its worst, and six of the others."""
    ends = [min(range(len(group.ranks)), key=group.ranks.__getitem__), len(group.ranks) - 1]
    others = [at for at in range(len(group.ranks)) if at not in ends]
    return sorted([*ends, *random.Random(f"eight {seed}").sample(others, PICTURES - len(ends))])


def scored_groups(scorer: PictureScorer, number: int) -> ScoredRankings:
    """Groups with the scorer's numbers for their pictures."""
    rankings, shown, names = [], [], []
    for seed in range(number):
        group = held_out_group(seed, scorer.spec)
        chosen = eight(group, seed)
        names += [f"{seed}/{group.kinds[at]}-{at}" for at in chosen]
        shown += [Prepared({scorer.spec: group.pixels[at]}) for at in chosen]
        rankings.append(
            Ranking(group.prompt, tuple(names[-PICTURES:]), tuple(group.ranks[at] for at in chosen))
        )
    scores = scorer.score(shown, [ranking.prompt for ranking in rankings for _ in ranking.images])
    places = tuple(np.arange(number * PICTURES).reshape(number, PICTURES))
    return ScoredRankings(tuple(rankings), (scores,), tuple(names), places)


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", type=int, default=500, help="how many groups (default: 500)")
    args = parser.parse_args()
    scorer = cast(PictureScorer, create_scorer("demo"))
    scored = scored_groups(scorer, args.groups)
    found = measure(scored, EvaluateOptions())
    wanted = [row for row in found.figures if row["section"] in ("accuracy", "recall", "places")]
    figures: list[dict[str, Any]] = [
        {
            name: round(value, 5) if isinstance(value, float) else value
            for name, value in row.items()
            if value not in ("", None)
        }
        for row in wanted
    ]
    result = {
        **describe(),
        "what": f"{args.groups} held-out groups of {PICTURES} drawn scenes of {len(set(scored.prompts.tolist()))} prompts, demo model "
        f"{scorer.revision}",
        "figures": figures,
    }
    save_results("demo_table2", result)
    for row in figures:
        print(row)


if __name__ == "__main__":
    main()
