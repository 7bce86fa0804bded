"""What is changed along a ladder, and what one rung of it trains."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imagereward_core.weights.own import id_of

from ...data.prompts import prompt_key, prompt_place
from ...data.ranking import Ranking
from ..errors import TrainingError
from ..jobs.options import JobOptions
from ..jobs.splits import Splits
from ..jobs.sweep import read_sweep
from ..networks.tuning import TUNING

DATA, BACKBONE = "data", "backbone"
_LONGEST = 60


@dataclass(frozen=True)
class Rung:
    """One value of what is changed.

    Attributes:
        text: The value as people write it.
        settings: Settings of the course that it changes.
        start: What it changes about the start.
        share: Of the prompts to learn from; None for all, or where ``count`` says how much.
        count: Number of rankings to learn from.
    """

    text: str
    settings: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    share: float | None = None
    count: int | None = None

    @property
    def slug(self) -> str:
        """The value as a part of the names of files and scorers."""
        return re.sub(r"[^\w.]+", "-", self.text.replace("%", "pct")).strip("-.")[:_LONGEST]

    def part(self, train: Sequence[Ranking], seed: int) -> list[Ranking]:
        """The rankings that this rung learns from: whole prompts, in the order of the file.

        The prompts of a smaller part are among those of any larger one with the same seed; another seed draws others.

        Raises:
            TrainingError: There are fewer.
        """
        if self.share is None and self.count is None:
            return list(train)
        keys = [prompt_key(ranking.prompt) for ranking in train]
        sizes: dict[str, int] = {}
        for key in keys:
            sizes[key] = sizes.get(key, 0) + 1
        order = sorted(sizes, key=lambda key: (prompt_place(key, seed), key))
        if self.share is not None:
            taken = set(order[: math.ceil(self.share * len(order) - 1e-9)])
        else:
            assert self.count is not None
            if self.count > len(train):
                raise TrainingError(
                    f"--ladder data={self.text}: found {len(train):,} rankings to learn from; expected at least {self.count:,}. Name "
                    "smaller parts, or add rankings"
                )
            taken, number = set(), 0
            for key in order:
                if number >= self.count:
                    break
                taken.add(key)
                number += sizes[key]
        return [ranking for ranking, key in zip(train, keys) if key in taken]

    def job(self, factor: str, options: JobOptions, splits: Splits, seed: int) -> tuple[JobOptions, Splits]:
        """The training of this rung with a seed: all else as ``options`` say.

        Raises:
            TrainingError: There is less data than it wants.
        """
        made = replace(
            options,
            config=replace(options.config, **{**self.settings, "seed": seed}),
            output=options.output / f"{factor}-{self.slug}" / f"seed-{seed}",
            name=id_of(f"{options.name}-{self.slug}-{seed}"),
            **self.start,
        )
        if self.share is None and self.count is None:
            return made, splits
        part = self.part(splits.train, seed)
        told = f"{splits.sha256}\n{self.text}\n{seed}".encode()
        return made, replace(splits, train=part, sha256=hashlib.sha256(told).hexdigest())


@dataclass(frozen=True)
class Ladder:
    """What is changed, and its values in order."""

    factor: str
    rungs: tuple[Rung, ...]


def read_ladder(text: str) -> Ladder:
    """A ladder as it is written, ``factor=value,value``.

    Factors are ``data`` (shares such as 25%, or numbers of rankings such as 1000 or 1k), ``backbone`` (what it starts from: a scorer, with
    ``+NAME`` an image tower of timm, with ``:head`` or ``:lora`` how it is tuned), and every setting of a training's course that
    a sweep can have, such as ``freeze`` and ``learning_rate``; numbers may be written in percent.

    Raises:
        TrainingError: It cannot be read.

    >>> [rung.share for rung in read_ladder("data=25%,50%").rungs]
    [0.25, 0.5]
    >>> read_ladder("backbone=BLIP,CLIP:head").rungs[1].start
    {'start': 'CLIP', 'tuning': 'head'}
    >>> read_ladder("freeze=0,70%").rungs[1].settings
    {'freeze': 0.7}
    """
    name, _, values = text.partition("=")
    name = name.strip().lower().replace("-", "_")
    texts = [value.strip() for value in values.split(",")]
    if not name or not all(texts):
        raise TrainingError(
            f"--ladder {text!r} is no factor with values; expected one such as data=25%,50%,100%, backbone=BLIP,CLIP:head or "
            "freeze=0,30%,70%,100%"
        )
    if name == DATA:
        rungs = [_part(text, value) for value in texts]
    elif name == BACKBONE:
        rungs = [_backbone(value) for value in texts]
    elif name == "seed":
        raise TrainingError(
            f"--ladder {text!r}: every value is trained with several seeds; expected another factor, and --seeds N"
        )
    else:
        plain = ",".join(_number(value) for value in texts)
        try:
            found = read_sweep([f"{name}={plain}"])
        except TrainingError as error:
            raise TrainingError(
                f"{error}. A ladder can also have data and backbone".replace("--sweep", "--ladder")
            ) from error
        rungs = [Rung(shown, {name: value}) for shown, value in zip(texts, found[name])]
    slugs = [rung.slug.casefold() for rung in rungs]
    if len(set(slugs)) < len(slugs) or "" in slugs:
        raise TrainingError(
            f"--ladder {text!r}: two of its values have one name; expected values that differ in letters or digits"
        )
    return Ladder(name, tuple(rungs))


def _number(text: str) -> str:
    """Percent as a share."""
    if not text.endswith("%"):
        return text
    try:
        return repr(round(float(text[:-1]) / 100, 12))
    except ValueError:
        return text


def _part(ladder: str, text: str) -> Rung:
    try:
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if 0 < share <= 1:
                return Rung(text, share=share)
        else:
            thousand = text[-1] in "kK"
            count = float(text[:-1]) * 1000 if thousand else int(text)
            if count >= 1 and count == int(count):
                return Rung(text, count=int(count))
    except (ValueError, OverflowError):
        pass
    raise TrainingError(
        f"--ladder {ladder!r}: found {text!r}; expected a share of more than 0 % and up to 100 %, or a number of rankings, 1000 or 1k"
    )


def _backbone(text: str) -> Rung:
    start, colon, tuning = text.rpartition(":")
    if not colon or tuning not in TUNING:
        start, tuning = text, ""
    start, _, vision = start.partition("+")
    changed = {"start": start, "vision": vision, "tuning": tuning}
    return Rung(text, start={name: value for name, value in changed.items() if value})
