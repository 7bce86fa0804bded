"""How fast and how large is a training step, against the published trainer's way, on the CPU?

Run as ``python -m benchmarks.training``. The same network of a middle size, with the same weights, pictures and frozen layers, goes
forward and backward over rankings mixed as in the published test set, in three ways: as the published trainer does it (both
pictures of every pair encoded anew, two separate forwards), as ``imagereward train`` does it, and so with ``--cache-frozen``
from the second epoch on. The latter two read their pictures and states from the disk; the first is given them. Before anything is timed,
all three must give the same gradients. Every round does all ways in turn; memory is that of fresh processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig, VisionConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_core.weights.bundled import MODEL_FOLDER
from imagereward_lab.data.images import ImageSource
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.training.batches.examples import examples_of
from imagereward_lab.training.batches.frozen_cache import FrozenCache
from imagereward_lab.training.batches.pictures import PictureReader
from imagereward_lab.training.batches.rankings import RankingBatches
from imagereward_lab.training.config import TrainingConfig
from imagereward_lab.training.initialise import initialise
from imagereward_lab.training.losses import make_objective
from imagereward_lab.training.networks.freezing import freeze
from imagereward_lab.training.networks.reward import RewardTrainee
from imagereward_lab.training.ranking import RankedBatch
from imagereward_lab.training.trainer import Trainer

from .machine import peak_rss_mib, rss_mib
from .pictures import scene
from .scorers import save_results
from .training_work import Count, count_of, operations, ranks_of, reference_gradients, sizes_of

WAYS = ("reference", "train", "cached")
FROZEN = 0.7
GOAL = 0.85
"""Of what counting allows."""
PROMPT = (
    "a picture of a red star left of a blue square and a green circle above the ring on a white background"
)


@dataclass(frozen=True)
class Sizes:
    """The middle size: large enough that products of matrices take most of the time, small enough for a CPU."""

    image: int = 128
    width: int = 256
    layers: int = 10
    text_width: int = 192
    text_layers: int = 6

    def network(self) -> RewardConfig:
        """Nothing in it is random, so that all ways can be compared."""
        return RewardConfig(
            vision=VisionConfig(
                image_size=self.image,
                width=self.width,
                depth=self.layers,
                heads=self.width // 64,
                mlp_width=4 * self.width,
                drop_path=0.0,
            ),
            text=TextConfig(
                vocab_size=64,
                positions=64,
                width=self.text_width,
                depth=self.text_layers,
                heads=self.text_width // 64,
                mlp_width=4 * self.text_width,
                dropout=0.0,
            ),
            head=HeadConfig(widths=(128, 64, 32, 16), dropouts=(), mean=0.0, std=1.0),
            projection=0,
        )


@dataclass(frozen=True)
class Work:
    """The rankings, and a trainer for each of our ways."""

    ranks: Sequence[Sequence[int]]
    plain: Trainer
    cached: Trainer

    @property
    def count(self) -> Count:
        """Encodings."""
        return count_of(self.ranks)

    def batches(self, trainer: Trainer, epoch: int) -> list[RankedBatch]:
        """All batches of an epoch."""
        return [part for group in trainer.training.steps(epoch) for part in group]


def prepare(folder: Path, number: int, sizes: Sizes, frozen: float = FROZEN) -> Work:
    """Draws the pictures, unless they are there, and sets up one network with two trainers."""
    ranks = ranks_of(sizes_of(number))
    rankings = []
    for row, order in enumerate(ranks):
        names = tuple(f"{row}-{place}.png" for place in range(len(order)))
        rankings.append(Ranking(f"{PROMPT} {'a ' * (row % 8)}".strip(), names, order))
        for place, name in enumerate(names):
            if not (folder / name).exists():
                scene(2 * sizes.image, 2 * sizes.image, 16 * row + place).save(folder / name)
    network = RewardNetwork(sizes.network())
    initialise(network, 0)
    spec = ImageSpec(size=sizes.image)
    trainee = RewardTrainee(network, spec, PromptEncoder(MODEL_FOLDER / "vocab.txt", 35))
    chosen = freeze(trainee, frozen)
    cache = FrozenCache(folder / "frozen", trainee, chosen, torch.device("cpu"))
    objective = make_objective()
    examples = examples_of(rankings, objective)

    def trainer(kept: FrozenCache | None) -> Trainer:
        reader = PictureReader(ImageSource(folder), spec, workers=2, states=kept)
        data = RankingBatches(examples, reader, trainee, cache=kept)
        return Trainer(
            trainee=trainee,
            training=data,
            validation=data,
            config=TrainingConfig(freeze=frozen, epochs=1),
            objective=objective,
            frozen=chosen,
            depth=kept.depth if kept else 0,
        )

    made = Work(ranks, trainer(None), trainer(cache))
    chosen.set_modes(network)
    return made


def gradients(trainer: Trainer, group: list[RankedBatch]) -> float:
    """One step's forward and backward as the trainer does them; returns the loss."""
    weight = sum(trainer.objective.weight(part.targets) for part in group)
    return trainer.gradients(group, weight)[0]


def epoch_of(trainer: Trainer, epoch: int) -> None:
    """Forward and backward over an epoch, with all that comes before them: packing, reading, preparing."""
    for group in trainer.training.steps(epoch):
        gradients(trainer, group)


def largest_difference(work: Work) -> float:
    """Between the gradients of all three ways on one batch, as a share of the largest gradient."""
    plain, cached = (next(iter(each.training.steps(0))) for each in (work.plain, work.cached))
    parameters = list(work.plain.parameters.values())
    runs: list[Callable[[], object]] = [
        lambda: reference_gradients(work.plain.trainee, plain[0]),
        lambda: gradients(work.plain, plain),
        lambda: gradients(work.cached, cached),
    ]
    found = []
    for run in runs:
        run()
        found.append(torch.cat([each.grad.flatten() for each in parameters if each.grad is not None]))
    largest = float(found[0].abs().max())
    return max(float((each - found[0]).abs().max()) for each in found[1:]) / largest


def work_of_encodings(work: Work) -> tuple[float, float]:
    """Operations of one encoding of a picture with its prompt, forward and backward: all of it, and without the layers that are kept."""
    found = []
    for trainer in (work.plain, work.cached):
        group = next(iter(trainer.training.steps(0)))
        pictures = sum(int((part.ranks > 0).sum()) for part in group)
        found.append(operations(lambda trainer=trainer, group=group: gradients(trainer, group)) / pictures)  # type: ignore[misc]
    return found[0], found[1]


def time_ways(work: Work, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by the clock and of the processor of every way in every round; round r is epoch r for all."""
    network = work.plain.trainee.network
    seconds: dict[str, dict[str, list[float]]] = {way: {"clock": [], "processor": []} for way in WAYS}
    epoch_of(work.cached, 0)  # fills the cache
    for number in range(1, rounds + 1):
        given = work.batches(work.plain, number)

        def reference(given: list[RankedBatch] = given) -> None:
            for batch in given:
                reference_gradients(work.plain.trainee, batch)

        runs = {
            "reference": reference,
            "train": lambda number=number: epoch_of(work.plain, number),
            "cached": lambda number=number: epoch_of(work.cached, number),
        }
        for way, run in runs.items():
            network.zero_grad(set_to_none=True)
            clock, processor = time.perf_counter(), time.process_time()
            run()  # type: ignore[operator]
            seconds[way]["clock"].append(time.perf_counter() - clock)
            seconds[way]["processor"].append(time.process_time() - processor)
        print(f"round {number} of {rounds}", flush=True)
    return seconds


def speed_table(seconds: dict[str, dict[str, list[float]]], allowed: dict[str, float]) -> dict[str, Any]:
    """For each of our ways how many times as fast as the reference's it is, within a round, beside what counting allows.

    Times are those by the clock or of the processor, whichever are fewer.
    """
    table: dict[str, Any] = {}
    for way, most in allowed.items():
        ratios = {
            kind: [base / own for base, own in zip(seconds["reference"][kind], seconds[way][kind])]
            for kind in ("clock", "processor")
        }
        # Where other work holds the processors, the clock tells more of that than of us: the lower of both counts.
        counts = min(ratios.values(), key=statistics.median)
        middle = statistics.median(counts)
        table[way] = {
            "times_reference": round(middle, 3),
            "least": round(min(counts), 3),
            "most": round(max(counts), 3),
            "by_clock": round(statistics.median(ratios["clock"]), 3),
            "by_processor": round(statistics.median(ratios["processor"]), 3),
            "allowed": round(most, 3),
            "share": round(middle / most, 3),
            "reaches": middle >= GOAL * most,
        }
    return table


def child(way: str, folder: Path, number: int, sizes: Sizes) -> dict[str, float]:
    """One batch of one way in this process: the most memory above what there was before, in MiB."""
    work = prepare(folder, number, sizes)
    trainer = work.cached if way == "cached" else work.plain
    group = next(iter(trainer.training.steps(0)))
    before = rss_mib()
    if way == "reference":
        reference_gradients(trainer.trainee, group[0])
    else:
        gradients(trainer, group)
    return {"peak_mib": peak_rss_mib() - before}


def memory_of(way: str, folder: Path, number: int) -> float:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.training", "--child", way, "--folder", str(folder)]
    done = subprocess.run([*command, "--rankings", str(number)], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["peak_mib"])


def measure(folder: Path, number: int, rounds: int, sizes: Sizes, memory: bool = True) -> dict[str, Any]:
    """All figures."""
    work = prepare(folder, number, sizes)
    count, (whole, upper) = work.count, work_of_encodings(work)
    allowed = {"train": count.times, "cached": count.times_with_cache(whole, upper)}
    difference = largest_difference(work)
    if difference > 1e-3:
        raise SystemExit(
            f"the ways give other gradients (by {difference:.1e} of the largest), so there is nothing to compare"
        )
    print(
        f"{count.pairs} pairs of {count.pictures} pictures: {2 * count.pairs} encodings in the reference's way, {count.pictures} in ours, "
        f"{count.times:.2f} times fewer\none encoding: {whole / 1e9:.2f} GFLOP, {upper / 1e9:.2f} above the frozen layers that are kept: "
        f"{allowed['cached']:.2f} times less work",
        flush=True,
    )
    table = speed_table(time_ways(work, rounds), allowed)
    return {
        "what": (
            f"{number} rankings of {count.pictures} pictures with {count.pairs} strict pairs, mixed as in the published test set; "
            f"batches of 64 pairs, {FROZEN:.0%} of the layers frozen, pictures of {sizes.image} x {sizes.image}, towers of {sizes.layers} "
            f"and {sizes.text_layers} layers, {sizes.width} and {sizes.text_width} wide, {rounds} rounds, random weights"
        ),
        "count": {
            "pairs": count.pairs,
            "pictures": count.pictures,
            "gflop_of_an_encoding": round(whole / 1e9, 3),
            "gflop_above_the_cache": round(upper / 1e9, 3),
            "largest_difference_of_gradients": float(f"{difference:.1e}"),
        },
        "speed": table,
        "peak_mib": {way: round(memory_of(way, folder, number)) for way in WAYS} if memory else {},
    }


def main() -> None:
    """Measures and writes ``training.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--rankings", type=int, default=23)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child, options.folder, options.rankings, Sizes())))
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.rankings, options.rounds, Sizes())
    save_results("training", figures, options.output)
    print(json.dumps({"speed": figures["speed"], "peak_mib": figures["peak_mib"]}, indent=1))


if __name__ == "__main__":
    main()
