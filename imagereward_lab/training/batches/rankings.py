"""The batches of a data set of rankings, in an order that follows from the seed and the epoch, from any step on."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from ..ranking import RankedBatch
from ..state.processes import Processes
from ..trainee import Trainee
from .examples import Example, Examples, targets_of
from .packing import pack, share_out, together
from .pictures import Picture, PictureReader

_AHEAD = 2
"""Parts that are read while the network is busy with one."""


class Completes(Protocol):
    """Makes the hidden states that are still missing."""

    def complete(self, pictures: Sequence[Picture]) -> Tensor:
        """States of all, [N, ...], on the CPU."""


class RankingBatches:
    """Training and validation data made of rankings; see :class:`..ranking.TrainingData` and :class:`..ranking.ValidationData`.

    Args:
        examples: What is learnt from, or judged by.
        reader: Reads the pictures.
        trainee: Turns prompts into tokens.
        batch_pairs: Pairs of a step, over all processes and parts.
        accumulate: Parts that one process goes through in a step.
        among: The processes that share the work.
        seed: For the order.
        cache: Keeps what the frozen layers make of a picture; None gives pixels.
    """

    def __init__(
        self,
        examples: Examples,
        reader: PictureReader,
        trainee: Trainee,
        *,
        batch_pairs: int = 64,
        accumulate: int = 1,
        among: Processes | None = None,
        seed: int = 0,
        cache: Completes | None = None,
    ) -> None:
        self.examples, self.reader, self.trainee, self.cache = examples, reader, trainee, cache
        self.batch_pairs, self.accumulate, self.seed = batch_pairs, accumulate, seed
        self.among = among or Processes()
        self._units = together([each.images for each in examples.kept], examples.sizes, batch_pairs)
        self._plan = lru_cache(maxsize=2)(self._packed)

    def length(self, epoch: int) -> int:
        """Number of steps in ``epoch``; epochs differ by a few, as rankings fall into batches."""
        return len(self._plan(epoch))

    def steps(self, epoch: int, first: int = 0) -> Iterator[list[RankedBatch]]:
        """For every step of ``epoch`` from number ``first`` on the parts of its batch that are this process's."""
        mine = [self._mine(batch) for batch in self._plan(epoch)[first:]]
        made = self._made(part for parts in mine for part in parts)
        for parts in mine:
            yield [next(made) for _ in parts]

    def parts(self) -> Iterator[RankedBatch]:
        """All rankings that are this process's, about in the order of the data."""
        yield from self._made(self._judged())

    def order(self) -> list[int]:
        """Numbers of the rankings in the order of :meth:`parts`."""
        return [number for part in self._judged() for number in part]

    def _judged(self) -> list[list[int]]:
        return self._batches(range(len(self._units)))[self.among.rank :: self.among.number]

    def largest(self) -> list[RankedBatch]:
        """This process's parts of the batch with the most pictures, by which memory and time are measured."""
        plan = self._plan(0)
        names = [
            len({name for number in batch for name in self.examples.kept[number].images}) for batch in plan
        ]
        return list(self._made(self._mine(plan[names.index(max(names))])))

    def _packed(self, epoch: int) -> list[list[int]]:
        order = list(range(len(self._units)))
        random.Random(f"rankings {self.seed} {epoch}").shuffle(order)
        return self._batches(order)

    def _batches(self, order: Iterable[int]) -> list[list[int]]:
        """Numbers of rankings by batch, from the numbers of units in order."""
        sizes = [sum(self.examples.sizes[number] for number in unit) for unit in self._units]
        packed = pack(sizes, order, self.batch_pairs)
        return [[number for unit in batch for number in self._units[unit]] for batch in packed]

    def _mine(self, batch: Sequence[int]) -> list[list[int]]:
        images = {number: self.examples.kept[number].images for number in batch}
        parts = share_out(batch, images, self.accumulate * self.among.number)
        return parts[self.among.rank :: self.among.number]

    def _made(self, parts: Iterable[Sequence[int]]) -> Iterator[RankedBatch]:
        coming = iter(parts)
        with self.reader.pool() as pool:
            ahead: deque = deque()
            try:
                while True:
                    while len(ahead) <= _AHEAD:
                        part = next(coming, None)
                        if part is None:
                            break
                        examples = [self.examples.kept[number] for number in part]
                        names = (name for each in examples for name in each.images)
                        ahead.append((examples, self.reader.request(pool, names)))
                    if not ahead:
                        return
                    examples, requested = ahead.popleft()
                    yield self._batch(examples, self.reader.take(requested))
            finally:
                for _, requested in ahead:
                    for future in requested.values():
                        future.cancel()

    def _batch(self, examples: Sequence[Example], pictures: dict[str, Picture]) -> RankedBatch:
        rows = {name: row for row, name in enumerate(pictures)}
        targets = targets_of(examples, [[name in rows for name in each.images] for each in examples])
        members = torch.zeros_like(targets.ranks)
        for place, each in enumerate(examples):
            members[place, : len(each.images)] = torch.tensor([rows.get(name, 0) for name in each.images])
        size = self.trainee.spec.size
        pixels, states = torch.zeros(0, 3, size, size, dtype=torch.uint8), None
        if pictures and self.cache is not None:
            states = self.cache.complete(list(pictures.values()))
        elif pictures:
            pixels = torch.stack([each.pixels for each in pictures.values() if each.pixels is not None])
        ids = mask = torch.zeros(0, 0, dtype=torch.int64)
        if examples:
            ids, mask = self.trainee.tokens([each.prompt for each in examples])
        return RankedBatch(
            pixels, ids, mask, members, targets.ranks, targets.ties, targets.preferences, states
        )
