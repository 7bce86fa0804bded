"""What the benchmarks of training share: rankings as large as the published test set's, the reference's way, and counts of the work."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from imagereward_core.images.preprocess import normalize
from imagereward_lab.training.ranking import RankedBatch, ranked_pairs
from imagereward_lab.training.trainee import Trainee

# data/test.json of the reference: how many prompts have so many pictures, and how many of all pairs are ties.
PUBLISHED_SIZES = {4: 194, 5: 2, 6: 45, 7: 159, 8: 43, 9: 23}
PUBLISHED_PAIRS, PUBLISHED_TIES = 7230, 831


def sizes_of(number: int, seed: int = 0) -> list[int]:
    """Sizes of ``number`` rankings, mixed as in the published test set (largest remainders), in an order drawn from the seed."""
    of = sum(PUBLISHED_SIZES.values())
    shares = {size: number * count / of for size, count in PUBLISHED_SIZES.items()}
    counts = {size: int(share) for size, share in shares.items()}
    by_remainder = sorted(shares, key=lambda size: counts[size] - shares[size])
    for size in by_remainder[: number - sum(counts.values())]:
        counts[size] += 1
    sizes = [size for size, count in counts.items() for _ in range(count)]
    random.Random(f"sizes {seed}").shuffle(sizes)
    return sizes


def ranks_of(sizes: Sequence[int], seed: int = 0) -> list[tuple[int, ...]]:
    """Ranks for rankings of these sizes, with as large a share of tied pairs as the published test set has."""
    rng = random.Random(f"ranks {seed}")
    ranks = [rng.sample(range(1, size + 1), size) for size in sizes]
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    wanted = round(pairs * PUBLISHED_TIES / PUBLISHED_PAIRS)
    # Neighbours become alike: ranks 1 and 2 in one ranking after another, then 3 and 4, until there are enough.
    places = [(upper, row) for row, size in enumerate(sizes) for upper in range(1, size, 2)]
    for upper, row in sorted(places)[:wanted]:
        ranks[row] = [upper if rank == upper + 1 else rank for rank in ranks[row]]
    return [tuple(row) for row in ranks]


@dataclass(frozen=True)
class Count:
    """Encodings of pictures that learning from some rankings takes.

    Attributes:
        pairs: Strict pairs.
        pictures: Pictures.
    """

    pairs: int
    pictures: int

    @property
    def times(self) -> float:
        """How many times as many encodings the reference makes: both pictures of every pair, against every picture once."""
        return 2 * self.pairs / self.pictures

    def times_with_cache(self, whole: float, upper: float) -> float:
        """The same where the frozen layers' part of an encoding is read from the disk.

        Args:
            whole: Work of one encoding, forward and backward.
            upper: Work of what is left of it.
        """
        return self.times * whole / upper


def count_of(ranks: Sequence[Sequence[int]]) -> Count:
    """What rankings with these ranks take.

    >>> count_of([(1, 2, 3), (1, 1)])
    Count(pairs=3, pictures=5)
    """
    pairs = sum(better < worse for row in ranks for better in row for worse in row)
    return Count(pairs, sum(map(len, ranks)))


def reference_gradients(trainee: Trainee, batch: RankedBatch) -> float:
    """Gradients of a batch in the published trainer's way, into the parameters; returns the loss.

    Both pictures of every strict pair are encoded anew with their prompt, the better and the worse ones in a forward each
    (train/src/ImageReward.py, ``encode_pair``); the loss is the mean over pairs (train/src/train.py).
    """
    rankings, better, worse = ranked_pairs(batch.ranks).nonzero(as_tuple=True)
    rows = torch.arange(len(rankings), device=batch.ranks.device)

    def rewards(places: Tensor) -> Tensor:
        pixels = normalize(batch.pixels[batch.members[rankings, places]], trainee.spec)
        return trainee.rewards(trainee.encode_images(pixels), batch.ids, batch.mask, rows, rankings).float()

    trainee.network.zero_grad(set_to_none=True)
    loss = -F.logsigmoid(rewards(better) - rewards(worse)).mean()
    loss.backward()
    return float(loss.detach())


def operations(run: Callable[[], object]) -> int:
    """Floating-point operations of what ``run`` does, forward and backward, counted by torch."""
    counter = FlopCounterMode(display=False)
    # Plain attention, for torch cannot count that of its quick kernels on every device.
    with sdpa_kernel(SDPBackend.MATH), counter:
        run()
    return int(counter.get_total_flops())
