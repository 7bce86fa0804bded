"""A simulated person who looks at pictures nobody knows the worth of: a scorer's eye for quality, a taste of their own, and errors.

The taste is data: how much is added for how a picture looks. What a picture looks like is measured on its pixels alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imagereward_core.errors import CuratorError
from imagereward_core.scores import FloatArray

from ..annotation.protocol.keys import BEST_WORST, CATEGORIES, MOST_IN_SLOT, PROTOCOL, QUICK, SLOTS
from .annotator import Annotator

Judge = Callable[[Sequence[Image.Image], Sequence[str]], FloatArray]
"""Scores float64 [N] of pictures, each with its own prompt."""

_FAR_FROM_GROUND = 40.0
"""Levels between a pixel and the background from which on it belongs to something else."""


class PeopleError(CuratorError):
    """A file of people cannot be used, or somebody cannot answer."""


def _warmth(levels: FloatArray) -> float:
    return float((levels[..., 0] - levels[..., 2]).mean() / 255)


def _lightness(levels: FloatArray) -> float:
    return float(levels.mean() / 255)


def _fullness(levels: FloatArray) -> float:
    edge = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    return float((np.abs(levels - np.median(edge, axis=0)).max(axis=-1) > _FAR_FROM_GROUND).mean())


LOOKS: dict[str, Callable[[FloatArray], float]] = {
    "warmth": _warmth,
    "lightness": _lightness,
    "fullness": _fullness,
}
"""What can be liked: more red than blue, how light a picture is, how much is not background; each about 0..1, from levels [H, W, 3]."""


def looks(picture: Image.Image) -> dict[str, float]:
    """Everything that can be liked about a picture.

    >>> looks(Image.new("RGB", (8, 8), (255, 0, 0)))
    {'warmth': 1.0, 'lightness': 0.3333333333333333, 'fullness': 0.0}
    """
    levels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    return {name: measure(levels) for name, measure in LOOKS.items()}


@dataclass(frozen=True, kw_only=True)
class Onlooker:
    """Somebody who looks.

    Attributes:
        annotator: Name, errors, ties and carelessness; in units of the scorer's scores.
        quality: How much the scorer's score counts.
        likes: By name of :data:`LOOKS`, what a picture gains for one unit of it.
    """

    annotator: Annotator
    quality: float
    likes: Mapping[str, float]

    def ranks(self, pictures: Sequence[Image.Image], prompt: str, judge: Judge, seed: int) -> tuple[int, ...]:
        """Ranks of pictures of a prompt, 1 is best; they do not depend on the order in which the pictures are shown."""
        if not pictures:
            return ()
        worth = self.quality * np.asarray(judge(pictures, [prompt] * len(pictures)), dtype=np.float64)
        worth += [
            sum(self.likes[name] * value for name, value in looks(each).items() if name in self.likes)
            for each in pictures
        ]
        if not np.isfinite(worth).all():
            raise PeopleError(
                f"{self.annotator.name} cannot judge a picture of {prompt!r}: its score is no number"
            )
        marks = [hashlib.sha256(each.convert("RGB").tobytes()).digest() for each in pictures]
        order = sorted(range(len(pictures)), key=lambda place: marks[place])
        words = "\n".join([str(seed), self.annotator.name, prompt])
        rng = np.random.default_rng(list(words.encode()))
        found = self.annotator.ranks([float(worth[place]) for place in order], rng)
        ranks = dict(zip(order, found, strict=True))
        return tuple(ranks[place] for place in range(len(pictures)))


def read_people(path: Path) -> tuple[str, dict[str, Onlooker]]:
    """The scorer whose eye they have, and everybody by name, of a JSON file.

    ``{"scorer": "demo", "people": [{"name": "ann", "noise": 0.5, "step": 0.3, "quality": 1.0, "likes": {"warmth": 9.0}}]}``; ``model`` and
    ``careless`` are those of :class:`~.annotator.Annotator`.

    Raises:
        PeopleError: It cannot be read, or is something else.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        people = [_person(each) for each in given["people"]]
        scorer = given["scorer"]
        if not isinstance(scorer, str) or not people:
            raise ValueError(f"found the scorer {scorer!r} and {len(people)} people")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PeopleError(
            f'{path} is no file of people ({error}); expected {{"scorer": ID, "people": [{{"name", "noise", "likes": {{...}}}}, ...]}}, '
            f"with likes of {', '.join(LOOKS)}"
        ) from error
    return scorer, {each.annotator.name: each for each in people}


def _person(given: Mapping[str, Any]) -> Onlooker:
    known = dict(given)
    likes = {name: float(weight) for name, weight in known.pop("likes", {}).items()}
    if unknown := sorted(likes.keys() - LOOKS.keys()):
        raise ValueError(f"found the like {unknown[0]!r}")
    quality = float(known.pop("quality", 1.0))
    return Onlooker(annotator=Annotator(**known), quality=quality, likes=likes)


def document(mode: str, images: Sequence[str], ranks: Sequence[int]) -> dict[str, Any]:
    """The answer to a task, as the server takes it, of somebody who says no more than which picture is better.

    Args:
        mode: Of the task; quick mode has questions instead.
        images: Ids, as shown.
        ranks: Of each, 1 is best.

    Raises:
        PeopleError: The mode has no such answer.
    """
    order = sorted(range(len(images)), key=lambda place: ranks[place])
    if mode == BEST_WORST:
        return {"best": images[order[0]], "worst": images[order[-1]]}
    if mode == QUICK:
        raise PeopleError("simulated people answer tasks; expected a project of a mode other than quick")
    if mode != PROTOCOL:
        return {"ranking": [[images[at] for at in order if ranks[at] == rank] for rank in sorted(set(ranks))]}
    distinct = sorted(set(ranks))
    # From 6 for the best to 2 for the worst: the same rank gets the same rating.
    rating = {rank: round(6 - 4 * at / max(1, len(distinct) - 1)) for at, rank in enumerate(distinct)}
    rated: dict[str, dict[str, Any]] = {
        name: dict.fromkeys(("overall", "alignment", "fidelity"), rating[rank])
        | {"problems": [], "missing": []}
        for name, rank in zip(images, ranks, strict=True)
    }
    prompt = {"category": CATEGORIES[0], "intent_unclear": False, "problems": [], "phrases": []}
    slots = [[images[place] for place in slot] for slot in _slots(order, ranks)]
    return {"prompt": prompt, "images": rated, "ranking": slots + [[] for _ in range(SLOTS - len(slots))]}


def _slots(order: Sequence[int], ranks: Sequence[int]) -> list[list[int]]:
    """Places in their order, at most two in a slot: those of equal rank together as far as they fit, then the nearest ones."""
    gaps = [ranks[second] - ranks[first] for first, second in zip(order, order[1:])]
    ties = sum(gap == 0 for gap in gaps)
    best: tuple[float, tuple[int, ...]] | None = None
    least = max(0, len(order) - SLOTS)
    for number in range(least, min(len(order) // MOST_IN_SLOT, max(least, ties)) + 1):
        for joins in combinations(range(len(gaps)), number):
            if any(second - first < MOST_IN_SLOT for first, second in zip(joins, joins[1:])):
                continue
            # A tie that is parted costs as much as two neighbours that are joined.
            cost = sum(gaps[at] for at in joins) + sum(
                gap == 0 and at not in joins for at, gap in enumerate(gaps)
            )
            if best is None or cost < best[0]:
                best = cost, joins
    joined = set(best[1]) if best is not None else set[int]()
    slots: list[list[int]] = []
    for at, place in enumerate(order):
        if at - 1 in joined:
            slots[-1].append(place)
        else:
            slots.append([place])
    return slots
