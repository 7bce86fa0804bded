"""Results as rows: scores and selection of each picture, the same fields in every form of output."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from ..plain import encodable
from ..scores import Scores
from ..selection import Selection

_RANK_ALONE = re.compile(r"(?:kept: )?rank \d+ of \d+(?: for its prompt)?")


@dataclass(frozen=True)
class Facts:
    """Everything the scores and the selection say about one picture.

    Attributes:
        index: Its place in the input.
        score: The raw score; NaN without one.
        percentile: Share of the reference distribution below the score, 0..100; NaN without one.
        rank, scored: Rank among all pictures, 1 best, 0 without a score; and how many have a score.
        rank_in_prompt, scored_in_prompt: The same among the pictures with its prompt.
        prompt: Number of its prompt, counted in the order of first appearance.
        seen, cut: The part of the prompt the scorer has seen, and the part that did not fit.
        reason: Why it was kept or rejected, or why it has no score.
    """

    index: int
    score: float
    percentile: float
    rank: int
    scored: int
    rank_in_prompt: int
    scored_in_prompt: int
    prompt: int
    seen: str
    cut: str
    kept: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class JudgedRow:
    """One picture as tables, csv and the like hold it.

    Attributes:
        file: Its path, or whatever else names it.
        score: The raw score; None without one.
        percentile: Share of the scorer's reference scores below it, 0..100; None without score or reference.
        rank: 1 is best, among all pictures; 0 without a score.
        rank_in_prompt, scored_in_prompt: Rank among the pictures with the same prompt, and how many of them have a score; 0 without one.
        kept, reason: Whether it passes the filter, and why, or why it has no score.
        prompt, prompt_cut: The prompt as the scorer was given it, and the end of it that did not fit.
        prompt_source: Where it was found: ``option``, ``sidecar`` or ``metadata``.
        notes: Choices made while reading the prompt.
        disputed: Where scorers place the picture very differently: who puts it where.
        beside, beside_reason: Scores by other scorers, by their ids, and which of these have none for it, and why.
    """

    file: str
    score: float | None
    percentile: float | None
    rank: int
    rank_in_prompt: int
    scored_in_prompt: int
    kept: bool
    reason: str
    prompt: str
    prompt_cut: str
    prompt_written: str
    prompt_source: str
    notes: str
    disputed: str
    beside: dict[str, float | None] = field(default_factory=dict)
    beside_reason: str = ""

    @property
    def prompt_read(self) -> str:
        """The part of the prompt that the scorer has read."""
        return seen_part(self.prompt, self.prompt_cut)


class PictureFacts(Sequence[Facts]):
    """The facts of every picture, in input order; each is made when it is asked for, so that a million need little memory."""

    def __init__(self, scores: Scores, selection: Selection) -> None:
        number = len(scores)
        self.scores, self.selection = scores, selection
        self._ranks, self._within = scores.ranks(), scores.ranks("prompt")
        self._percentiles = scores.percentiles()
        self._prompts, self._rivals = np.zeros(number, dtype=np.int64), np.zeros(number, dtype=np.int64)
        for place, members in enumerate(scores.groups("prompt")):
            self._prompts[members] = place
            self._rivals[members] = int((self._ranks[members] > 0).sum())
        self._kept = np.zeros(number, dtype=bool)
        self._kept[selection.kept] = True
        self.scored = scores.scored

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, index: int) -> Facts: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Facts]: ...

    def __getitem__(self, index: int | slice) -> Facts | Sequence[Facts]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        scores = self.scores
        return Facts(
            index=index,
            score=float(scores.values[index]),
            percentile=float(self._percentiles[index]),
            rank=int(self._ranks[index]),
            scored=self.scored,
            rank_in_prompt=int(self._within[index]),
            scored_in_prompt=int(self._rivals[index]),
            prompt=int(self._prompts[index]),
            seen=seen_part(scores.prompts[index], scores.cut[index]),
            cut=scores.cut[index],
            kept=bool(self._kept[index]),
            reason=scores.failures.get(index, self.selection.reasons[index]),
        )


def judged_fields(
    scores: Scores, fact: Facts, beside: Sequence[Scores] = (), name: str = ""
) -> dict[str, Any]:
    """The fields of a :class:`JudgedRow` that follow from the scores alone; reasons are given without ``name``, which stands in the row."""
    return {
        "score": number(fact.score),
        "percentile": number(fact.percentile),
        "rank": fact.rank,
        "rank_in_prompt": fact.rank_in_prompt,
        "scored_in_prompt": fact.scored_in_prompt if fact.rank else 0,
        "kept": fact.kept,
        "prompt": scores.prompts[fact.index],
        "prompt_cut": fact.cut,
        "beside": {other.scorer: number(other.values[fact.index]) for other in beside},
        "beside_reason": beside_reason(beside, fact.index, name),
    }


def number(value: float) -> float | None:
    """A number as rows hold it: None for NaN."""
    return None if value != value else float(value)


def seen_part(prompt: str, cut: str) -> str:
    """The beginning of ``prompt``, without the part that did not fit."""
    prompt = prompt.strip()
    return prompt[: len(prompt) - len(cut)].rstrip() if cut and prompt.endswith(cut) else prompt


def is_rank_alone(reason: str) -> bool:
    """Whether a reason says no more than the rank, or that for its prompt, which both stand beside it anyway."""
    return _RANK_ALONE.fullmatch(reason) is not None


def bare_reason(fact: Facts, name: str, explain: bool = True) -> str:
    """The reason in a row, without the picture's ``name``, which stands there anyway.

    A picture without a score always has one; others where they are to be explained.
    """
    if not fact.rank:
        return fact.reason.removeprefix(f"{encodable(name)}: ")
    return fact.reason.partition(": ")[2] if explain else ""


def beside_reason(beside: Sequence[Scores], index: int, name: str = "") -> str:
    """Which of some scorers have no score for a picture, and why; empty where all have one."""
    found: dict[str, list[str]] = {}
    for other in beside:
        if index in other.failures:
            found.setdefault(other.failures[index].removeprefix(f"{encodable(name)}: "), []).append(
                other.scorer
            )
    return "; ".join(f"{', '.join(scorers)}: {why}" for why, scorers in found.items())


def beside_note(beside: Mapping[str, float | None], disputed: str, reason: str = "") -> str:
    """Scores of other scorers for a picture in one line, and why some have none."""
    numbers = [f"{scorer} {value:.4g}" for scorer, value in beside.items() if value is not None]
    said = (
        ", ".join(numbers),
        disputed and f"Scorers disagree: {disputed}",
        reason and f"No score by {reason}",
    )
    return ". ".join(filter(None, said))
