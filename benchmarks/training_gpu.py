"""How long does a full-size training step in bf16 take on a CUDA (or ROCm) device, how much memory, and how near to its matrix units?

Run as ``python3 -m benchmarks.training_gpu`` in the repository's folder, with any Python that has torch, NumPy, Pillow and
safetensors: nothing is installed or fetched, weights and pictures are random. Says so where there is no such device. A step is
``imagereward train``'s own: about 64 pairs of rankings mixed as in the published test set, 70 % of the layers frozen, Adam; with pixels,
and with the states that ``--cache-frozen`` keeps.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import RewardConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_lab.training.batches.given import Grouped, Whole
from imagereward_lab.training.batches.packing import pack
from imagereward_lab.training.config import TrainingConfig
from imagereward_lab.training.initialise import initialise
from imagereward_lab.training.losses import make_objective
from imagereward_lab.training.networks.freezing import freeze
from imagereward_lab.training.networks.reward import RewardTrainee
from imagereward_lab.training.ranking import RankedBatch
from imagereward_lab.training.state.processes import Processes
from imagereward_lab.training.trainer import Step, Trainer
from imagereward_lab.training.validation import autocast

from .training_work import count_of, operations, ranks_of, sizes_of

FROZEN = 0.7
TOKENS = 24
WARM_UP = 3


class Repeated:
    """One batch as often as wanted, as an epoch."""

    def __init__(self, batch: RankedBatch, times: int) -> None:
        self.batch, self.times = batch, times

    def __len__(self) -> int:
        return self.times

    def batches(self, epoch: int) -> Iterator[RankedBatch]:
        """See :class:`imagereward_lab.training.ranking.RankedData`."""
        for _ in range(self.times):
            yield self.batch


def random_batch(vocabulary: int, size: int) -> RankedBatch:
    """Rankings mixed as in the published test set, packed to 64 pairs, of coloured noise."""
    ranks = ranks_of(sizes_of(23))
    packed = pack([count_of([row]).pairs for row in ranks], range(len(ranks)), 64)
    chosen = [ranks[number] for number in packed[0]]
    longest = max(map(len, chosen))
    generator = torch.Generator().manual_seed(0)
    first, members = 0, []
    for row in chosen:
        members.append([first + place for place in range(len(row))] + [0] * (longest - len(row)))
        first += len(row)
    ids = torch.randint(5, vocabulary, (len(chosen), TOKENS), generator=generator)
    # A colour for each picture with noise on it: where all looked alike, the trainer would rightly say that nothing is learnt.
    colours = torch.randint(0, 192, (first, 3, 1, 1), generator=generator)
    noise = torch.randint(0, 64, (first, 3, size, size), generator=generator)
    return RankedBatch(
        pixels=(colours + noise).to(torch.uint8),
        ids=ids,
        mask=torch.ones_like(ids),
        members=torch.tensor(members),
        ranks=torch.tensor([[*row, *[0] * (longest - len(row))] for row in chosen]),
    )


def prepare(
    device: torch.device, config: RewardConfig, size: int, cached: bool, number: int = WARM_UP
) -> tuple[Trainer, list[RankedBatch]]:
    """A trainer of ``number`` steps, and the batch it takes in each, on the device."""
    network = RewardNetwork(config)
    initialise(network, 0)
    trainee = RewardTrainee(network.to(device), ImageSpec(size=size))
    frozen = freeze(trainee, FROZEN)
    depth = frozen.depths["vision"] if cached else 0
    batch = random_batch(config.text.vocab_size, size).to(device)
    if cached:
        with torch.no_grad(), autocast(device, "bf16"):
            states = trainee.lower(normalize(batch.pixels, trainee.spec), depth)
        batch = RankedBatch(
            batch.pixels[:0], batch.ids, batch.mask, batch.members, batch.ranks, states=states
        )
    # Judged once, by a single ranking of it.
    judged = RankedBatch(
        batch.pixels, batch.ids[:1], batch.mask[:1], batch.members[:1], batch.ranks[:1], states=batch.states
    )
    trainer = Trainer(
        trainee=trainee,
        training=Grouped(Repeated(batch, number), 1),
        validation=Whole(Repeated(judged, 1)),
        config=TrainingConfig(epochs=1, validations_per_epoch=1, precision="bf16", freeze=FROZEN, patience=0),
        objective=make_objective(),
        frozen=frozen,
        among=Processes(device=device),
        depth=depth,
    )
    return trainer, [batch]


def steps(trainer: Trainer, number: int) -> list[float]:
    """Seconds of the last ``number`` steps of a training. A step waits for the device, and so for the update before it."""
    taken: list[float] = []

    def note(step: Step) -> None:
        taken.append(step.seconds)

    trainer.on_step = note
    trainer.run()
    return taken[-number:]


def work_of(trainer: Trainer, group: list[RankedBatch]) -> int:
    """Operations of a step, forward and backward."""
    trainer.frozen.set_modes(trainer.trainee.network)
    weight = sum(trainer.objective.weight(part.targets) for part in group)
    found = operations(lambda: trainer.gradients(group, weight))
    trainer.optimiser.zero_grad(set_to_none=True)
    return found


def row_of(
    operations: float, seconds: Sequence[float], rate: float, peak: int, pictures: int
) -> dict[str, float]:
    """One way's figures; ``rate`` is the device's measured one in TFLOP/s, ``peak`` in bytes."""
    step = statistics.median(seconds)
    tera = operations / step / 1e12
    return {
        "step_s": round(step, 4),
        "pictures_per_second": round(pictures / step, 1),
        "tflops": round(tera, 2),
        "share_of_peak": round(tera / rate, 3),
        "peak_gib": round(peak / 2**30, 2),
    }


def measure(device: torch.device, number: int, size: int) -> dict[str, Any]:
    """All figures; ``size`` is the side of the matrices for the rate."""
    from .gpu import matmul_rate

    rate = matmul_rate(torch.bfloat16, device, size, 5)
    rows: dict[str, Any] = {}
    pictures = 0
    for name, cached in (("train", False), ("cached", True)):
        trainer, group = prepare(device, RewardConfig(), 224, cached, number + WARM_UP)
        work = work_of(trainer, group)
        pictures = int((group[0].ranks > 0).sum())
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        seconds = steps(trainer, number)
        rows[name] = row_of(work, seconds, rate, torch.cuda.max_memory_allocated(device), pictures)
        rows[name]["tflop_of_a_step"] = round(work / 1e12, 3)
        print(name, rows[name], flush=True)
        del trainer, group
    return {
        "what": (
            f"A step of 64 pairs ({pictures} pictures of 224 x 224, {TOKENS} tokens), full size, bf16, {FROZEN:.0%} of the layers frozen, "
            f"with Adam; median of {number} steps, random weights"
        ),
        "peak_matmul_tflops": round(rate, 1),
        "steps": rows,
    }


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes ``training_gpu.json``, where there is a device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(
            "No CUDA or ROCm device is present, so there is nothing to measure. On a CPU: python -m benchmarks.training"
        )
        return
    from .scorers import save_results

    figures = measure(torch.device("cuda"), options.steps, 8192)
    save_results("training_gpu", figures, options.output)
    print(json.dumps(figures["steps"], indent=1))


if __name__ == "__main__":
    main()
