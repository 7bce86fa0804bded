"""How well quick questions put pictures of one prompt in order. Run as ``python -m benchmarks.quick_ranking``.

A simulated person of known noise answers questions about 100 drawn scenes of one prompt, whose true worth is known. Recorded is Spearman's
correlation of the strengths with that worth after one, one and a half, two and three questions per picture, for questions that are chosen
and for random ones, and how often the 90 % interval of a rank holds the true rank. The fit of ties by Davidson's model and as half wins is
compared on the same answers. Last, how long a fit and a question take with 300 pictures.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from typing import Any

import numpy as np

from imagereward_core.metrics import spearman
from imagereward_core.ranking import (
    Comparison,
    QuickRanking,
    fit_strengths,
    rank_intervals,
)
from imagereward_lab.people.annotator import Annotator
from imagereward_lab.people.quick import Chooser, answered, at_random, most_telling
from imagereward_lab.people.scenes import Task, scenes_of_one_prompt

from .scorers import save_results

PEOPLE = (
    Annotator(name="reliable", noise=0.5, step=0.3),
    Annotator(name="middling", noise=1.0, step=0.6),
)
CHOOSERS: dict[str, Chooser] = {"chosen": most_telling, "random": at_random}
SIZES = (2, 3, 4)
PER_PICTURE = (1.0, 1.5, 2.0, 3.0)


def one_run(task: Task, annotator: Annotator, choose: Chooser, size: int, seed: int) -> dict[str, Any]:
    """What one person's answers give: correlations by number of questions, and whether intervals hold."""
    number = len(task.images)
    wanted = [round(share * number) for share in PER_PICTURE]
    found: dict[str, Any] = {"spearman": []}
    steps = answered(task, annotator, choose, questions=wanted[-1], size=size, seed=seed)
    for count, ranking in enumerate(steps, start=1):
        if count in wanted:
            found["spearman"].append(spearman(ranking.fit.values, np.array(task.qualities)))
    intervals = rank_intervals(ranking.fit)
    truth = np.argsort(np.argsort(-np.array(task.qualities))) + 1
    places = {image: place for place, image in enumerate(task.images)}
    said = [
        Comparison(
            tuple(places[image] for image in each.images),
            None if each.winner is None else places[each.winner],
        )
        for each in ranking.comparisons
    ]
    half = fit_strengths(number, said, ties="half")
    pairs = Counter(frozenset(pair) for each in said for pair in itertools.combinations(each.images, 2))
    return found | {
        "half": spearman(half.values, np.array(task.qualities)),
        "held": float(((intervals.low <= truth) & (truth <= intervals.high)).mean()),
        "width": float((intervals.high - intervals.low + 1).mean()),
        "ties": sum(each.winner is None for each in said) / len(said),
        "most_often": max(pairs.values()),
    }


def measure(pictures: int, seeds: int) -> list[dict[str, Any]]:
    """A row for each person, size of questions and way to choose them."""
    tasks = [scenes_of_one_prompt(pictures, size=16, seed=seed)[0] for seed in range(seeds)]
    rows = []
    for annotator, size, (name, choose) in itertools.product(PEOPLE, SIZES, CHOOSERS.items()):
        runs = [one_run(task, annotator, choose, size, seed) for seed, task in enumerate(tasks)]
        spearmans = np.array([run["spearman"] for run in runs])
        row = {
            "person": annotator.name,
            "noise": annotator.noise,
            "shown": size,
            "questions": name,
            "spearman": {
                f"{share:g} per picture": round(value, 4)
                for share, value in zip(PER_PICTURE, spearmans.mean(axis=0).tolist(), strict=True)
            },
            "least": round(float(spearmans[:, -1].min()), 4),
            "each": spearmans[:, -1].round(4).tolist(),
            "ties_as_half_wins": round(float(np.mean([run["half"] for run in runs])), 4),
            "answers_that_are_ties": round(float(np.mean([run["ties"] for run in runs])), 4),
            "intervals_that_hold_the_rank": round(float(np.mean([run["held"] for run in runs])), 4),
            "mean_width_of_intervals": round(float(np.mean([run["width"] for run in runs])), 2),
            "most_often_the_same_two": max(run["most_often"] for run in runs),
        }
        print({name: value for name, value in row.items() if name != "each"}, flush=True)
        rows.append(row)
    return rows


def speed(pictures: int = 300, answers: int = 600, times: int = 15) -> list[dict[str, Any]]:
    """Milliseconds from an answer to the next question, of wall time and of processor time."""
    rng = np.random.default_rng(0)
    truth = dict(zip(map(str, range(pictures)), rng.normal(0, 2, pictures).tolist(), strict=True))
    rows = []
    for size in SIZES:
        ranking = QuickRanking(images=tuple(truth))
        for _ in range(answers):
            images = at_random(ranking, size, rng)
            best = max(images, key=lambda image: truth[image] + float(rng.gumbel()))
            ranking = QuickRanking(
                images=ranking.images, comparisons=(*ranking.comparisons, Comparison(images, best))
            )
        wall, processor = [], []
        question = ranking.question(size)
        for _ in range(times):
            assert question is not None
            best = max(question.images, key=lambda image: truth[image] + float(rng.gumbel()))
            began = time.perf_counter(), time.process_time()
            ranking = ranking.answered(Comparison(question.images, best))
            question = ranking.question(size)
            wall.append(time.perf_counter() - began[0])
            processor.append(time.process_time() - began[1])
        row = {
            "pictures": pictures,
            "answers": answers,
            "shown": size,
            "median_ms": round(1000 * float(np.median(wall)), 1),
            "least_ms": round(1000 * min(wall), 1),
            "median_processor_ms": round(1000 * float(np.median(processor)), 1),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--pictures", type=int, default=100, help="how many pictures the prompt has (default: 100)"
    )
    parser.add_argument(
        "--seeds", type=int, default=20, help="how many tasks, each with other errors (default: 20)"
    )
    args = parser.parse_args()
    save_results(
        "quick_ranking",
        {
            "what": f"{args.pictures} drawn scenes of one prompt, a simulated person's answers, {args.seeds} seeds",
            "rows": measure(args.pictures, args.seeds),
            "speed": speed(),
        },
    )


if __name__ == "__main__":
    main()
