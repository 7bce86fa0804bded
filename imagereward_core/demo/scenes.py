"""Drawn scenes with a prompt each: the only world the demo model knows.

A scene is one thing, several equal things, or two things in a relation, on a background of one colour. Everything about it is
data, so that a scene that differs in exactly one respect (colour, shape, count, place) can be made from any other.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from PIL import Image, ImageDraw

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "orange": (245, 140, 20),
    "yellow": (245, 220, 50),
    "green": (40, 150, 70),
    "blue": (45, 90, 220),
    "purple": (130, 60, 170),
}
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (245, 245, 245),
    "gray": (150, 150, 150),
    "black": (25, 25, 25),
    "pink": (245, 190, 205),
}
COUNT_WORDS = ("a", "two", "three", "four")
RELATIONS = ("left of", "right of", "above", "below")
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
OPENINGS = ("", "", "a picture of ", "a drawing of ")

Choice = TypeVar("Choice", str, int)
Difference = Literal["colour", "shape", "count", "place"]
DIFFERENCES: tuple[Difference, ...] = ("colour", "shape", "count", "place")


@dataclass(frozen=True)
class Thing:
    """One drawn object."""

    shape: str
    colour: str


@dataclass(frozen=True)
class Scene:
    """The contents of a picture.

    Attributes:
        background: A key of ``BACKGROUNDS``.
        count: How many of the main object, 1 to 4.
        other: A second object, or None; then ``count`` is 1.
        relation: Where the main object is, seen from the second; empty without a second object.
    """

    thing: Thing
    background: str
    count: int = 1
    other: Thing | None = None
    relation: str = ""

    @property
    def prompt(self) -> str:
        """The scene in words, for example ``a red star left of a blue square on a gray background``."""
        return " ".join(word for word, _ in self.described())

    def described(self) -> list[tuple[str, str]]:
        """The words of the prompt, each with what it speaks of: an aspect as :meth:`aspects` names it, or nothing."""
        plural = {"cross": "crosses"}.get(self.thing.shape, self.thing.shape + "s")
        article = "an" if self.count == 1 and self.thing.colour[0] in "aeiou" else COUNT_WORDS[self.count - 1]
        words = [
            (article, "count"),
            (self.thing.colour, "colour"),
            (self.thing.shape if self.count == 1 else plural, "shape"),
        ]
        if self.other is not None:
            words += [(word, "relation") for word in self.relation.split()]
            words.append(("an" if self.other.colour[0] in "aeiou" else "a", ""))
            words += [(self.other.colour, "other colour"), (self.other.shape, "other shape")]
        return [*words, ("on", ""), ("a", ""), (self.background, "background"), ("background", "")]

    def aspects(self) -> dict[str, str | int]:
        """Everything in which two scenes of one sort can differ, by name."""
        other = self.other or Thing("", "")
        return {
            "count": self.count,
            "colour": self.thing.colour,
            "shape": self.thing.shape,
            "relation": self.relation,
            "other colour": other.colour,
            "other shape": other.shape,
            "background": self.background,
        }


def random_scene(rng: random.Random, pairs: int = 1) -> Scene:
    """A scene of any sort: single things and counted things equally often, two different things ``pairs`` times as often as each."""
    thing = Thing(rng.choice(SHAPES), rng.choice(list(COLOURS)))
    background = rng.choice(list(BACKGROUNDS))
    sort = rng.randrange(2 + pairs)
    if sort == 0:
        return Scene(thing, background)
    if sort == 1:
        return Scene(thing, background, count=rng.randint(2, 4))
    other = Thing(_other(rng, SHAPES, thing.shape), _other(rng, list(COLOURS), thing.colour))
    return Scene(thing, background, other=other, relation=rng.choice(RELATIONS))


def possible_differences(scene: Scene) -> tuple[Difference, ...]:
    """In which respects a scene of this sort can be wrong: place needs two things, count needs things of one sort."""
    return ("colour", "shape", "place") if scene.other is not None else ("colour", "shape", "count")


def change(scene: Scene, difference: Difference, rng: random.Random) -> Scene:
    """A scene that is wrong in exactly one respect."""
    if difference == "count":
        return replace(scene, count=_other(rng, (1, 2, 3, 4), scene.count))
    if difference == "place":
        return replace(scene, relation=_other(rng, RELATIONS, scene.relation))
    if difference == "colour" and scene.other is None and rng.random() < 0.25:
        return replace(scene, background=_other(rng, list(BACKGROUNDS), scene.background))
    choices: tuple[str, ...] = tuple(COLOURS) if difference == "colour" else SHAPES
    name = "colour" if difference == "colour" else "shape"
    if scene.other is None:
        return replace(scene, thing=_changed(scene.thing, name, choices, rng, avoid=()))
    which = rng.randrange(3)
    if which == 0:  # the two things have swapped their colours or shapes
        own, others = getattr(scene.thing, name), getattr(scene.other, name)
        return replace(
            scene, thing=replace(scene.thing, **{name: others}), other=replace(scene.other, **{name: own})
        )
    if which == 1:
        avoid = (getattr(scene.other, name),)
        return replace(scene, thing=_changed(scene.thing, name, choices, rng, avoid))
    avoid = (getattr(scene.thing, name),)
    return replace(scene, other=_changed(scene.other, name, choices, rng, avoid))


def draw(scene: Scene, rng: random.Random, size: int = 128) -> Image.Image:
    """Draws the scene as RGB, ``size`` by ``size`` pixels; places, sizes and tones vary with ``rng``."""
    image = Image.new("RGB", (size, size), _shade(BACKGROUNDS[scene.background], rng, 8))
    canvas = ImageDraw.Draw(image)
    for thing, x, y, radius in _layout(scene, rng):
        _draw_shape(
            canvas, thing.shape, x * size, y * size, radius * size, _shade(COLOURS[thing.colour], rng, 12)
        )
    return image


def _layout(scene: Scene, rng: random.Random) -> list[tuple[Thing, float, float, float]]:
    """Thing, centre and radius of every object, in units of the picture's side."""
    if scene.other is not None:
        radius = rng.uniform(0.14, 0.19)
        reach = rng.uniform(0.22, 0.27)
        dx, dy = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}[scene.relation]
        wobble = rng.uniform(-0.06, 0.06)
        x, y = 0.5 + rng.uniform(-0.04, 0.04), 0.5 + rng.uniform(-0.04, 0.04)
        side = (wobble * abs(dy), wobble * abs(dx))
        return [
            (scene.thing, x + dx * reach + side[0], y + dy * reach + side[1], radius),
            (scene.other, x - dx * reach - side[0], y - dy * reach - side[1], radius),
        ]
    if scene.count == 1:
        radius = rng.uniform(0.16, 0.3)
        return [(scene.thing, rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65), radius)]
    quarters = [(0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)]
    rng.shuffle(quarters)
    radius = rng.uniform(0.13, 0.18)
    return [
        (scene.thing, x + rng.uniform(-0.06, 0.06), y + rng.uniform(-0.06, 0.06), radius)
        for x, y in quarters[: scene.count]
    ]


def _draw_shape(
    canvas: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float, colour: tuple[int, int, int]
) -> None:
    """One filled shape around (x, y), about ``radius`` pixels in every direction."""
    if shape == "circle":
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "ring":
        width = max(2, round(radius * 0.42))
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=width)
    elif shape == "square":
        half = radius * 0.88
        canvas.rectangle((x - half, y - half, x + half, y + half), fill=colour)
    elif shape == "cross":
        arm = radius * 0.34
        canvas.rectangle((x - radius, y - arm, x + radius, y + arm), fill=colour)
        canvas.rectangle((x - arm, y - radius, x + arm, y + radius), fill=colour)
    elif shape == "triangle":
        canvas.polygon(_corners(x, y + radius * 0.2, 3, radius * 1.15, radius * 1.15), fill=colour)
    elif shape == "star":
        canvas.polygon(_corners(x, y, 10, radius * 1.12, radius * 0.45), fill=colour)
    else:
        raise ValueError(f"shape is {shape!r}; expected one of {', '.join(SHAPES)}")


def _corners(x: float, y: float, number: int, outer: float, inner: float) -> list[tuple[float, float]]:
    """Corners of a polygon whose distance from the centre alternates between ``outer`` and ``inner``; the first is on top."""
    corners = []
    for i in range(number):
        angle, distance = 2 * math.pi * i / number, outer if i % 2 == 0 or number == 3 else inner
        corners.append((x + distance * math.sin(angle), y - distance * math.cos(angle)))
    return corners


def _changed(
    thing: Thing, name: str, choices: tuple[str, ...], rng: random.Random, avoid: tuple[str, ...]
) -> Thing:
    allowed = [choice for choice in choices if choice not in avoid]
    return replace(thing, **{name: _other(rng, allowed, getattr(thing, name))})


def _other(rng: random.Random, choices: Sequence[Choice], current: Choice) -> Choice:
    """Any of ``choices`` but ``current``."""
    return rng.choice([choice for choice in choices if choice != current])


def _shade(colour: tuple[int, int, int], rng: random.Random, spread: int) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, value + rng.randint(-spread, spread))) for value in colour)
    return red, green, blue


def is_held_out(scene: Scene) -> bool:
    """Whether the scene's words belong to the tenth of all prompts that training never sees."""
    return zlib.crc32(scene.prompt.encode()) % 10 == 0


def scene_where(rng: random.Random, held_out: bool, pairs: int = 1) -> Scene:
    """A random scene from the held-out tenth of prompts, or from the rest."""
    while True:
        scene = random_scene(rng, pairs)
        if is_held_out(scene) == held_out:
            return scene
