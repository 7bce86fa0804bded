"""A check: what was measured of fixed prompts and seeds at one point of a run, and whether the state is still good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .options import GuardOptions


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was measured at one point of a run.

    Attributes:
        update: Updates done by then.
        scores: By scorer, the one that is tuned to first, the score of each picture; NaN for none.
        diversity: Of :func:`.diversity.diversity`; NaN where there is one picture for a prompt.
        own: By scorer that reads prompts the share of pairs in which a picture goes better with its own prompt than with another's; empty
            for one prompt alone.
        seconds: Time spent, of all runs together.
        faults: Why the state is not good, in sentences; empty where it is.
    """

    update: int
    scores: Mapping[str, Sequence[float]]
    diversity: float
    own: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    faults: tuple[str, ...] = ()

    @property
    def reward(self) -> str:
        """The scorer that is tuned to."""
        return next(iter(self.scores))

    def mean(self, scorer: str) -> float:
        """Mean score; NaN where there is none."""
        known = [each for each in self.scores[scorer] if math.isfinite(each)]
        return float(np.mean(known)) if known else math.nan

    def deviation(self, scorer: str) -> float:
        """Standard deviation of the scores, over N."""
        known = [each for each in self.scores[scorer] if math.isfinite(each)]
        return float(np.std(known)) if known else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "update": self.update,
            "scores": {name: [_known(each) for each in row] for name, row in self.scores.items()},
            "diversity": _known(self.diversity),
            "own": dict(self.own),
            "seconds": self.seconds,
            "faults": list(self.faults),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Check:
        """What :meth:`to_dict` gave."""
        return cls(
            update=data["update"],
            scores={
                name: [math.nan if each is None else each for each in row]
                for name, row in data["scores"].items()
            },
            diversity=math.nan if data["diversity"] is None else data["diversity"],
            own=dict(data["own"]),
            seconds=data["seconds"],
            faults=tuple(data["faults"]),
        )


def faults_of(now: Check, before: Check, options: GuardOptions) -> tuple[str, ...]:
    """Why a state is not good, in sentences.

    Args:
        now: What was measured of it.
        before: What was measured before tuning, of the same prompts and seeds.
        options: How far anything may fall.
    """
    return (
        *(fault for name in now.scores for fault in _fallen_score(name, now, before, options)),
        *_less_diverse(now, before, options),
        *(fault for name in now.own for fault in _other_prompts(name, now, before, options)),
    )


def _fallen_score(name: str, now: Check, before: Check, options: GuardOptions) -> list[str]:
    fall, unit = before.mean(name) - now.mean(name), before.deviation(name)
    if math.isnan(now.mean(name)) and not math.isnan(before.mean(name)):
        return [f"{name} has no score for any picture any more"]
    if not unit > 0 or not fall > options.scorer_fall * unit:
        return []
    which = "the reward" if name == now.reward else "not tuned to"
    return [
        f"{name} ({which}) has fallen from {before.mean(name):.3f} to {now.mean(name):.3f}, by {fall / unit:.2f} standard deviations; "
        f"allowed are {options.scorer_fall:g}"
    ]


def _less_diverse(now: Check, before: Check, options: GuardOptions) -> list[str]:
    if not before.diversity > 0:
        return []
    fall = 100 * (1 - now.diversity / before.diversity)
    if not fall > options.diversity_fall:
        return []
    return [
        f"pictures for one prompt differ by {fall:.0f} % less than before ({now.diversity:.3f}, before {before.diversity:.3f}); allowed "
        f"are {options.diversity_fall:g} %"
    ]


def _other_prompts(name: str, now: Check, before: Check, options: GuardOptions) -> list[str]:
    fall = 100 * (before.own.get(name, math.nan) - now.own[name])
    if not fall > options.own_fall:
        return []
    return [
        f"by {name} pictures go better with their own prompt than with another's in {100 * now.own[name]:.0f} % of pairs, before in "
        f"{100 * before.own[name]:.0f} %; allowed are {options.own_fall:g} points less"
    ]


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
