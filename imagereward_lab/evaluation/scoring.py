"""Scores the pictures of rankings with the scorers of a command, each picture once for each prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Union

import numpy as np
from numpy.typing import NDArray

from imagereward_core.cli.batches import Steps, StopSwitch, in_pieces
from imagereward_core.cli.console import Console
from imagereward_core.errors import Cancelled, ImageError
from imagereward_core.scores import FloatArray, IntArray, Scores

from ..data.images.names import packed
from ..data.ranking import Ranking

if TYPE_CHECKING:
    from PIL import Image

    from imagereward_core.scorers.engine import Memory
    from imagereward_core.scorers.panel import Panel

_STOPPED = "stopped before its turn"


class Images(Protocol):
    """Where pictures are read from by the names that rankings have for them (``data.images.ImageSource``)."""

    def open(self, name: str) -> Image.Image:
        """A picture, loaded; ImageError where it cannot be."""

    def path(self, name: str) -> Path:
        """The file of a picture that is a file of its own; ImageError where the name leads out of the folder."""


@dataclass(frozen=True)
class Failure:
    """A picture that a scorer has no number for.

    Attributes:
        prompt: The prompt it was to be scored for.
        image: Its name.
        scorer: Id of the scorer.
        reason: Why.
    """

    prompt: str
    image: str
    scorer: str
    reason: str


@dataclass(frozen=True, eq=False)
class ScoredRankings:
    """Rankings with the scores of their pictures.

    Scorers are compared on the same pictures: those that every one of them has scored. What people said about the others is left out of
    every figure, and they are among :attr:`failures`.

    Attributes:
        rankings: R of them.
        scores: For each of S scorers the scores of all N different pictures of a prompt.
        pictures: Names of these, N.
        places: For every ranking its pictures as indexes into these, int64 [K].
        remarks: What must be known about the scorers, and what blends rest on.
        stopped: Whether a person stopped the run, so that pictures are missing.
    """

    rankings: tuple[Ranking, ...]
    scores: tuple[Scores, ...]
    pictures: tuple[str, ...]
    places: tuple[IntArray, ...]
    remarks: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def scorers(self) -> tuple[str, ...]:
        """Ids of the scorers."""
        return tuple(each.scorer for each in self.scores)

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Whether every scorer has a number for a picture, bool [N]."""
        return ~np.isnan(np.array([each.values for each in self.scores])).any(axis=0)

    @cached_property
    def values(self) -> FloatArray:
        """The numbers, float64 [S, N]; NaN for every scorer where one of them has none."""
        return np.where(self.usable, np.array([each.values for each in self.scores]), math.nan)

    def of(self, ranking: int) -> FloatArray:
        """The numbers of a ranking's pictures, float64 [S, K]."""
        return self.values[:, self.places[ranking]]

    @cached_property
    def prompts(self) -> IntArray:
        """For every ranking the number of its prompt, int64 [R]."""
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(each.prompt, len(numbers)) for each in self.rankings], dtype=np.int64
        )

    @cached_property
    def failures(self) -> list[Failure]:
        """Pictures of these rankings without a number."""
        used = {at for places in self.places for at in places.tolist()}
        return [
            Failure(scores.prompts[index], self.pictures[index], scores.scorer, reason)
            for scores in self.scores
            for index, reason in sorted(scores.failures.items())
            if index in used
        ]

    def part(self, chosen: Sequence[int]) -> ScoredRankings:
        """Some of the rankings."""
        return ScoredRankings(
            tuple(self.rankings[index] for index in chosen),
            self.scores,
            self.pictures,
            tuple(self.places[index] for index in chosen),
            self.remarks,
            self.stopped,
        )


def different_pictures(rankings: Sequence[Ranking]) -> tuple[list[tuple[str, str]], list[IntArray]]:
    """Each different pair of prompt and picture once, and for every ranking its pictures as indexes into these.

    Several people who ranked the same pictures have them scored once.
    """
    numbers: dict[tuple[str, str], int] = {}
    places = [
        np.array(
            [numbers.setdefault((ranking.prompt, name), len(numbers)) for name in ranking.images],
            dtype=np.int64,
        )
        for ranking in rankings
    ]
    return list(numbers), places


def score_rankings(
    panel: Panel,
    rankings: Sequence[Ranking],
    images: Images,
    console: Console,
    stop: StopSwitch,
    steps: Steps,
) -> ScoredRankings:
    """Scores all pictures of ``rankings`` for their prompts, which are given to the scorers as they are written.

    Raises:
        Cancelled: Stopped before the first pictures were scored.
    """
    pictures, places = different_pictures(rankings)
    parts: list[list[Scores]] = []
    memory: Memory = {}

    def score(start: int, end: int) -> None:
        parts.append(_score_piece(panel, pictures[start:end], images, memory))

    done = in_pieces(len(pictures), console, stop, steps, score)
    if not parts:
        raise Cancelled("stopped before the first pictures were scored")
    whole = [_with_rest(Scores.join(each), [prompt for prompt, _ in pictures], done) for each in zip(*parts)]
    result = panel.judge(whole)
    return ScoredRankings(
        rankings=tuple(rankings),
        scores=(result.main, *result.beside),
        pictures=tuple(name for _, name in pictures),
        places=tuple(places),
        remarks=tuple(filter(None, (result.basis, *result.warnings))),
        stopped=done < len(pictures),
    )


def picture_of(images: Images, name: str) -> Union[Path, Image.Image]:
    """The file of a picture, which scorers decode in threads, or the picture itself where it lies within a larger file.

    Raises:
        ImageError: There is no such picture.
    """
    return images.path(name) if packed(name) is None else images.open(name)


def _score_piece(
    panel: Panel, piece: Sequence[tuple[str, str]], images: Images, memory: Memory
) -> list[Scores]:
    """Scores of a piece by every single scorer; a picture that is not there is not shown to them."""
    found: list[Union[Path, Image.Image]] = []
    fit, problems = [], {}
    for place, (_, name) in enumerate(piece):
        try:
            found.append(picture_of(images, name))
            fit.append(place)
        except ImageError as error:
            problems[place] = str(error)
    prompts = [prompt for prompt, _ in piece]
    scored = panel.score(found, [prompts[place] for place in fit], memory)
    return [each.spread(fit, prompts, problems) for each in scored]


def _with_rest(scores: Scores, prompts: Sequence[str], done: int) -> Scores:
    """Scores of the first pictures as those of all, of which the rest was not reached."""
    if done == len(prompts):
        return scores
    return scores.spread(range(done), prompts, dict.fromkeys(range(done, len(prompts)), _STOPPED))
