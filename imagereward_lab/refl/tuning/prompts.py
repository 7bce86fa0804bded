"""The prompts of a tuning: read from anywhere, parted into those it is tuned on and those it is checked with, and their order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagereward_core.plain import count_of

from ...data.notes import Notes
from ...prompts.sources import read_prompts
from ...training.errors import TrainingError

MOST = 200_000
"""Prompts that are held in memory."""


@dataclass(frozen=True)
class PromptSplits:
    """The prompts of a tuning.

    Attributes:
        tuned: Those it is tuned on.
        checked: Those that checks draw.
        digest: SHA-256 of all of them.
        shared: Whether checks draw prompts that are tuned on too, since there are too few.
        notes: What was left out.
    """

    tuned: tuple[str, ...]
    checked: tuple[str, ...]
    digest: str
    shared: bool = False
    notes: tuple[str, ...] = ()


def prompt_splits(
    path: Path, validation: Path | None, share: float, number: int, seed: int, column: str = ""
) -> PromptSplits:
    """Reads prompts and parts them; the same for the same file, share, number and seed.

    Args:
        path: What :func:`~imagereward_lab.prompts.sources.read_prompts` reads.
        validation: Other prompts to check with; None takes a share of those of ``path``.
        share: In percent.
        number: Checks draw so many.
        seed: Of the choice.
        column: Of a table; empty for the usual names.

    Raises:
        SelectionError: There is no prompt, or the file cannot be read.
        TrainingError: There are too many.
    """
    prompts, digest, notes = _read(path, column)
    rng = random.Random(f"checked prompts {seed}")
    if validation is not None:
        others, other_digest, more = _read(validation, column)
        checked = others if len(others) <= number else _some(others, number, rng)
        kept = set(checked)
        tuned = [each for each in prompts if each not in kept]
        if not tuned:
            raise TrainingError(
                f"all prompts of {path} are also in {validation}, and those are checked and not tuned on; expected others in one of the two"
            )
        return PromptSplits(tuple(tuned), tuple(checked), digest + other_digest, notes=(*notes, *more))
    apart = min(number, int(len(prompts) * share / 100))
    if apart == 1 and min(number, len(prompts) - 1) > 1:
        apart = 2  # of one alone nothing tells whether pictures fit their own prompt better than another's
    if not apart:
        some = prompts if len(prompts) <= number else _some(prompts, number, rng)
        return PromptSplits(tuple(prompts), tuple(some), digest, shared=True, notes=notes)
    checked = _some(prompts, apart, rng)
    kept = set(checked)
    return PromptSplits(
        tuple(each for each in prompts if each not in kept), tuple(checked), digest, notes=notes
    )


def _read(path: Path, column: str) -> tuple[list[str], str, tuple[str, ...]]:
    notes = Notes()
    found, _ = read_prompts(str(path), notes, column)
    if len(found) > MOST:
        raise TrainingError(
            f"{path} has {count_of(len(found), 'prompt')}; expected at most {MOST:,}. Choose some with 'imagereward select-prompts'"
        )
    return list(found), found.digest, tuple(map(str, notes))


def _some(prompts: Sequence[str], number: int, rng: random.Random) -> list[str]:
    """Some of the prompts, in their order."""
    return [prompts[place] for place in sorted(rng.sample(range(len(prompts)), number))]


def prompt_order(number: int, seed: int) -> Callable[[int], int]:
    """For the n-th prompt that is drawn, 0 is the first, its place: all come once, shuffled, before any comes again.

    >>> order = prompt_order(3, 0)
    >>> [sorted(order(n) for n in range(start, start + 3)) for start in (0, 3)]
    [[0, 1, 2], [0, 1, 2]]
    """
    rounds: dict[int, list[int]] = {}

    def place(n: int) -> int:
        which, at = divmod(n, number)
        if which not in rounds:
            rounds.clear()  # one is enough: updates go forwards
            rounds[which] = random.Random(f"order {seed} {which}").sample(range(number), number)
        return rounds[which][at]

    return place
