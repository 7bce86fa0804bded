"""Clips: which frames of a clip are scored, and one score out of theirs. NumPy only, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from .records import record
from .scores import Scores
from .settings import check, setting

Which = Literal["first", "middle", "last", "spread"]
Pooling = Literal["mean", "lowest"]


@record(frozen=True)
class FrameRule:
    """Which frames of a clip are scored, and how their scores become that of the clip.

    One alone of ``spread`` frames is the middle; a shorter clip is scored whole.
    """

    which: Which = setting(
        "middle",
        "For clips: the frames that are scored, one (middle, first, last) or several (evenly spaced)",
        choices=get_args(Which),
    )
    count: int = setting(
        4,
        "For clips: how many evenly spaced frames, the first and the last among them. Each takes as long as a picture",
        low=1,
        shown=(1, 4096),
    )
    pooling: Pooling = setting(
        "mean",
        "For clips of which several frames are scored: the mean of them, or the lowest, which finds clips that fall apart",
        choices=get_args(Pooling),
    )

    def __post_init__(self) -> None:
        check(self)

    def of(self, length: int) -> tuple[int, ...]:
        """Indexes of the frames of a clip of ``length`` frames, rising, each once.

        >>> FrameRule("spread", 3).of(9), FrameRule("spread", 3).of(2), FrameRule("middle").of(9)
        ((0, 4, 8), (0, 1), (4,))

        Raises:
            ValueError: The clip has no frame.
        """
        if length < 1:
            raise ValueError("a clip without frames; expected at least one")
        if self.which == "first":
            return (0,)
        if self.which == "last":
            return (length - 1,)
        if self.which == "middle" or self.count == 1:
            return (length // 2,)
        if self.count >= length:
            return tuple(range(length))
        return tuple(round(place * (length - 1) / (self.count - 1)) for place in range(self.count))

    def pool(self, scores: Scores, frames: Sequence[Sequence[int]]) -> Scores:
        """One score per clip. A clip of which a frame has no score has none, with that frame's reason.

        ``scores`` are those of all frames seen, clip after clip; ``frames`` says for each clip which, as :meth:`of` does.

        Raises:
            ValueError: There is not one score per frame.
        """
        starts = np.cumsum([0, *map(len, frames)])
        if len(scores) != starts[-1]:
            raise ValueError(f"{len(scores)} scores for {starts[-1]} frames; expected one per frame")
        of_clips = [scores.values[start : start + len(seen)] for start, seen in zip(starts, frames)]
        take = np.mean if self.pooling == "mean" else np.min
        failures = {}
        for clip, (start, seen) in enumerate(zip(starts, frames)):
            reasons = {
                frame: scores.failures[start + at]
                for at, frame in enumerate(seen)
                if start + at in scores.failures
            }
            if reasons:
                failures[clip] = _reason(reasons, len(seen))
        return replace(
            scores,
            values=np.array([float(take(values)) for values in of_clips], dtype=np.float64),
            prompts=tuple(scores.prompts[start] for start in starts[:-1]),
            cut=tuple(scores.cut[start] for start in starts[:-1]),
            failures=failures,
        )

    def words(self) -> str:
        """How a clip's number comes about, as a sentence.

        >>> FrameRule("spread", 4, "lowest").words()
        'The number of a clip is the lowest of up to 4 evenly spaced frames.'
        """
        if self.which != "spread" or self.count == 1:
            which = "middle" if self.which == "spread" else self.which
            return f"The number of a clip is that of its {which} frame."
        return f"The number of a clip is the {self.pooling} of up to {self.count} evenly spaced frames."


def _reason(reasons: dict[int, str], seen: int) -> str:
    """Why a clip has no score: what all its frames have in common, or what the first of the bad frames has."""
    frame, reason = next(iter(reasons.items()))
    if len(reasons) == seen and len(set(reasons.values())) == 1:
        return reason
    return f"frame {frame + 1}: {reason}"
