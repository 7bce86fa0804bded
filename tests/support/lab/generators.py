"""Folders of drawn scenes by several 'generators', of which some spoil what they draw."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.degrade import blur, noise
from imagereward_core.demo.scenes import draw, random_scene
from tests.support.command import SETTINGS

SPOILS = {
    "good": lambda image, rng: image,
    "other": lambda image, rng: image,
    "noisy": noise,
    "blurred": blur,
}


def draw_generators(
    folder: Path,
    names: tuple[str, ...] = ("good", "noisy"),
    prompts: int = 6,
    pictures: int = 2,
    metadata: bool = True,
    size: int = 64,
) -> Mapping[str, str]:
    """``<folder>/<name>/<id>_<k>.png`` for every generator, and ``prompts.json``, the benchmark; returns prompts by id."""
    rng = random.Random(3)
    scenes = {}
    while len(scenes) < prompts:
        scene = random_scene(rng)
        if scene.prompt not in {each.prompt for each in scenes.values()}:
            scenes[f"{len(scenes):03d}-a"] = scene
    for name in names:
        own = random.Random(name)
        (folder / name).mkdir(parents=True)
        for at, scene in scenes.items():
            for number in range(pictures):
                image = SPOILS[name](draw(scene, own, size), own)
                text = PngInfo()
                if metadata:
                    text.add_itxt("parameters", scene.prompt + SETTINGS)
                image.save(folder / name / f"{at}_{number}.png", pnginfo=text)
    found = {at: scene.prompt for at, scene in scenes.items()}
    (folder / "prompts.json").write_text(
        json.dumps([{"id": at, "prompt": prompt} for at, prompt in found.items()])
    )
    return found
