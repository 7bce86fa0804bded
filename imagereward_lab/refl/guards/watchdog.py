"""Decides after every check which state is the one to keep, and whether the run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .check import Check, faults_of
from .options import GuardOptions


@dataclass
class History:
    """The checks of a run, and what was decided.

    Attributes:
        checks: In order; the first is of the untouched model.
        good: Update of the last good state; 0 while there is none but the untouched one.
        stopped: Why the run ended before its last update; empty where it did not.
        seconds: Time spent, of all runs together.
    """

    checks: list[Check] = field(default_factory=list)
    good: int = 0
    stopped: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "checks": [each.to_dict() for each in self.checks],
            "good": self.good,
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> History:
        """What :meth:`to_dict` gave."""
        checks = [Check.from_dict(each) for each in data["checks"]]
        return cls(checks, data["good"], data["stopped"], data["seconds"])


def decide(history: History, found: Check, options: GuardOptions) -> bool:
    """Takes a check into the history, with its faults; returns whether its state is the one to keep.

    Where nothing is watched every state is kept, so that the result is the last one.
    """
    if not history.checks:
        history.checks.append(found)
        return False
    judged = replace(found, faults=faults_of(found, history.checks[0], options))
    history.checks.append(judged)
    keeps = options.watch == "off" or not judged.faults
    if keeps:
        history.good = judged.update
    elif options.watch == "stop" and bad_of_late(history.checks) >= options.patience:
        history.stopped = f"bad in {options.patience} checks one after another: {judged.faults[0]}"
    return keeps


def bad_of_late(checks: Sequence[Check]) -> int:
    """How many checks at the end were bad one after another."""
    number = 0
    for each in reversed(checks):
        if not each.faults:
            break
        number += 1
    return number
