"""Whether the procedure of the paper's Table 1 finds the agreement that annotators really have. Run as ``python -m benchmarks.annotators``.

Simulated annotators, whose noise is known, rank drawn scenes, each crew many times over with other errors. What their agreement must be
follows from the noise by computation; recorded is what was measured, and in how many repetitions the 95 % interval by prompt holds the
truth. The demo model scores the same pictures as the row of a scorer. The intervals are for other prompts of the same kind, while here
the prompts stay the same, so that they should hold the truth at least as often as they say.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scores import Scores
from imagereward_lab.data.split import SplitOptions, split_by_agreement
from imagereward_lab.evaluation.options import EvaluateOptions
from imagereward_lab.evaluation.people import agreement_section
from imagereward_lab.evaluation.scoring import ScoredRankings, different_pictures
from imagereward_lab.figures.estimates import Estimator
from imagereward_lab.people.annotator import Annotator, Odds, certain, odds
from imagereward_lab.people.expected import joined, table_of_agreement
from imagereward_lab.people.scenes import Task, ranked, scene_task

from .scorers import save_results

RESEARCHERS = tuple(Annotator(name=f"researcher {at}", noise=0.8, step=0.3) for at in (1, 2))
CREWS: dict[str, tuple[Annotator, ...]] = {
    "reliable": tuple(Annotator(name=f"annotator {at}", noise=0.5, step=0.3) for at in range(1, 6)),
    "about as reliable as the paper's": tuple(
        Annotator(name=f"annotator {at}", noise=1.0 + 0.1 * at, step=0.6) for at in range(1, 6)
    ),
    "mixed": (
        Annotator(name="careful", noise=0.5, step=0.5),
        Annotator(name="middling", noise=1.5, model="bradley-terry", step=1.0),
        Annotator(name="careless", noise=0.5, careless=0.7),
        Annotator(name="likes blur and noise", noise=0.7, tastes={"blur": 3.0, "noise": 1.5}),
    ),
}
PICTURES = 8


def drawn_tasks(number: int) -> tuple[list[Task], Scores]:
    """Tasks of eight held-out pictures, and the demo model's scores of these."""
    drawn = [scene_task(at, pictures=PICTURES, size=128) for at in range(number)]
    shown = [picture for _, pictures in drawn for picture in pictures]
    prompts = [task.prompt for task, pictures in drawn for _ in pictures]
    return [task for task, _ in drawn], create_scorer("demo").score(shown, prompts)


def with_scores(
    tasks: Sequence[Task], scores: Scores, crew: Sequence[Annotator], seed: int
) -> ScoredRankings:
    """What everybody says of all tasks, beside the scores."""
    rankings = ranked(tasks, crew, seed)
    pictures, places = different_pictures(rankings)
    return ScoredRankings(tuple(rankings), (scores,), tuple(name for _, name in pictures), tuple(places))


def compare(
    tasks: Sequence[Task], scores: Scores, crew: Sequence[Annotator], repetitions: int
) -> dict[str, dict[str, Any]]:
    """For every cell of Table 1 the truth, what was measured, and how often the interval held the truth."""

    def told(annotator: Annotator) -> Odds:
        return joined([odds(annotator, task.qualities, task.kinds) for task in tasks])

    numbers = scores.values.reshape(len(tasks), PICTURES)
    expected = table_of_agreement(
        [told(each) for each in crew],
        [told(each) for each in RESEARCHERS],
        joined([certain(row) for row in numbers.tolist()]),
    )
    names = [each.name for each in RESEARCHERS]
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {cell: [] for cell in expected}
    for seed in range(repetitions):
        scored = with_scores(tasks, scores, [*RESEARCHERS, *crew], seed)
        section = agreement_section(scored, Estimator(EvaluateOptions(resamples=1000), scored.prompts), names)
        assert section is not None
        for row in section.figures:
            assert row.value is not None and row.low is not None and row.high is not None
            cell = ("scorer" if row.scorer == scores.scorer else row.scorer, row.against)
            found[cell].append((row.value, row.low, row.high))
    return {
        " and ".join(cell): {
            "expected": round(share, 5),
            "first_measured": [round(each, 5) for each in found[cell][0]],
            "mean_measured": round(float(np.mean([value for value, _, _ in found[cell]])), 5),
            "interval_holds_it": f"{sum(low <= share <= high for _, low, high in found[cell])} of {repetitions}",
        }
        for cell, share in expected.items()
    }


def chosen_by_agreement(tasks: Sequence[Task], repetitions: int) -> dict[str, int]:
    """How often the split by agreement takes each of the mixed crew as its first choice for the test."""
    crew = CREWS["mixed"]
    own = [scene_task(at, seed=1)[0] for at in range(20 * len(crew))]
    taken = dict.fromkeys([each.name for each in crew], 0)
    for seed in range(repetitions):
        rankings = ranked(tasks, [RESEARCHERS[0], *crew], seed)
        for at, each in enumerate(crew):
            rankings += ranked(own[20 * at : 20 * at + 20], [each], seed)
        _, judged = split_by_agreement(rankings, [RESEARCHERS[0].name], SplitOptions())
        taken[judged[0].annotator] += 1
    return taken


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--tasks",
        type=int,
        default=40,
        help="how many prompts everybody ranks (default: 40, as in the paper)",
    )
    parser.add_argument(
        "--repetitions", type=int, default=100, help="how often each crew ranks them (default: 100)"
    )
    args = parser.parse_args()
    tasks, scores = drawn_tasks(args.tasks)
    result = {
        "what": f"{args.tasks} prompts with {PICTURES} drawn scenes each, ranked {args.repetitions} times by two researchers and a crew",
        "crews": {name: compare(tasks, scores, crew, args.repetitions) for name, crew in CREWS.items()},
        "first_by_agreement": chosen_by_agreement(tasks, args.repetitions),
    }
    for name, cells in result["crews"].items():  # type: ignore[attr-defined]
        print(name)
        for cell, row in cells.items():
            print(f"  {cell:26} {row}")
    print(result["first_by_agreement"])
    save_results("annotators", result)


if __name__ == "__main__":
    main()
