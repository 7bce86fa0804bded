"""Reorders the pictures of one or several results, best first, with every list that follows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from imagereward_core.metadata.score_keys import METADATA_KEY

from .state import REJECTED, Picture, order

LISTS = ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds")
"""The lists of a result that have one entry per picture."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run's part of what is shown; the best picture may stand for all, so that no grid comes before it."""

    sorts: bool
    shows_rejects: bool
    replaces_grid: bool = False


@dataclass(frozen=True, eq=False)
class Place:
    """Where something of a result belongs.

    Attributes:
        picture: Whether it is a finished picture; otherwise a grid, a mask or a copy.
        value: Its number; NaN for none.
        unsaved: Whether it lies nowhere, since it could not be saved.
    """

    result: Result
    picture: bool = False
    value: float = math.nan
    verdict: str = ""
    unsaved: bool = False
    reduced: bool = False

    @classmethod
    def of(cls, picture: Picture, result: Result) -> Place:
        """The place of a finished picture."""
        return cls(result, True, picture.value, picture.verdict, picture.unsaved, picture.reduced)


class Arranged(NamedTuple):
    """The pictures to be shown, in order; ``told`` are the result's other fields, with lists that fit."""

    images: list[Any]
    told: dict[str, Any]


def none_passed(pictures: Sequence[Any]) -> bool:
    """Whether every scored picture was rejected, so that a gallery would be empty."""
    return any(each.verdict == REJECTED for each in pictures) and not any(
        each.verdict != REJECTED and not math.isnan(each.value) for each in pictures
    )


def shown(pictures: Sequence[Any], result: Result) -> list[Any]:
    """Those to be shown, in their order: what passed, then rejected ones where they are wanted or would be lost otherwise."""
    passed = [each for each in pictures if each.verdict != REJECTED]
    rejected = [each for each in pictures if each.verdict == REJECTED and not each.reduced]
    if not (result.shows_rejects or none_passed(pictures)):
        rejected = [each for each in rejected if each.unsaved]
    return order(passed, result.sorts) + order(rejected, result.sorts)


def arranged(entries: Sequence[tuple[Any, Place | None]], told: dict[str, Any]) -> Arranged | None:
    """Images of a host's results, each with its place (None: not ours), and the data about them, as they are to be shown.

    ``told`` are ``infotexts`` of grids and pictures in that order (masks and the like have none), and lists of the first result. None where
    images and data do not fit together.
    """
    texts, read = told["infotexts"], 0
    kept: list[tuple[int, int]] = []  # where an image and its infotext were
    behind: list[int] = []
    changes: list[dict[str, Any]] = []
    for result, group in groupby(range(len(entries)), lambda at: getattr(entries[at][1], "result", None)):
        front: list[tuple[int, int]] = []
        pictures: list[tuple[Place, int, int]] = []
        for at in group:
            place = entries[at][1]
            if place is not None and place.picture:
                pictures.append((place, at, read))
                read += 1
            elif read < len(texts) and not pictures:
                front.append((at, read))
                read += 1
            else:
                behind.append(at)
        front = [] if result is not None and result.replaces_grid else front
        places = [place for place, _, _ in pictures]
        chosen = [places.index(each) for each in shown(places, result)] if result is not None else []
        kept += [*front, *((at, text) for _, at, text in map(pictures.__getitem__, chosen))]
        changes.append({} if result is None else _lists(told, len(front), chosen, len(pictures)))
    if read != len(texts) or not any(changes):
        return None
    now = [*(at for at, _ in kept), *behind]
    changed = {**told, **changes[0], "infotexts": [texts[text] for _, text in kept]}
    return Arranged([entries[at][0] for at in now], _retold(changed, {at: to for to, at in enumerate(now)}))


def _lists(told: dict[str, Any], front: int, chosen: Sequence[int], number: int) -> dict[str, Any]:
    """The lists of a result of which these pictures are shown, in this order, behind so many grids."""
    lists = {
        name: [told[name][which] for which in chosen] for name in LISTS if len(told.get(name) or ()) == number
    }
    firsts = {
        name: lists[every][0]
        for name, every in (("seed", "all_seeds"), ("subseed", "all_subseeds"))
        if lists.get(every)
    }
    return {"index_of_first_image": front, **lists, **firsts}


def _retold(told: dict[str, Any], moved: dict[int, int]) -> dict[str, Any]:
    """The data, with the places of pictures as they are now; -1 for those that are not shown."""
    ours = (told.get("extra_generation_params") or {}).get(METADATA_KEY) or {}
    if "pictures" not in ours:
        return told
    pictures = [{**each, "image": moved.get(each["image"], -1)} for each in ours["pictures"]]
    changed = {**told["extra_generation_params"], METADATA_KEY: {**ours, "pictures": pictures}}
    return {**told, "extra_generation_params": changed}
