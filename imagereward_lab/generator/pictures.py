"""Scenes as tensors, tensors as pictures, and many pictures on one sheet."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from imagereward_core.demo.scenes import OPENINGS, Scene, draw, scene_where
from imagereward_core.files.whole import written_whole
from imagereward_core.images.spec import ImageSpec

from ..demo_model.dataset import stack

PAIRS = 3
"""Scenes of two things are so many times as frequent as those of one and of several: they are the hardest."""
_SHOWN, _CAPTION = 128, 46


def some_scenes(rng: random.Random, number: int, *, held_out: bool = False) -> list[Scene]:
    """Random scenes, of the prompts that are learnt from or of the others."""
    return [scene_where(rng, held_out, pairs=PAIRS) for _ in range(number)]


def a_prompt(scene: Scene, rng: random.Random) -> str:
    """One of the ways to ask for a scene."""
    return rng.choice(OPENINGS) + scene.prompt


def drawn(scenes: Sequence[Scene], rng: random.Random, size: int) -> Tensor:
    """The scenes as images float32 [N, 3, size, size] in -1..1, made small as the demo scorer's are."""
    return stack([draw(scene, rng) for scene in scenes], ImageSpec(size=size)).float() / 127.5 - 1


def as_pictures(images: Tensor) -> list[Image.Image]:
    """RGB pictures of images [N, 3, S, S] in -1..1; what is beyond is cut."""
    levels = ((images.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return [Image.fromarray(np.ascontiguousarray(each.permute(1, 2, 0).numpy())) for each in levels]


def write_sheet(path: Path, rows: Sequence[Sequence[Image.Image]], captions: Sequence[Sequence[str]]) -> None:
    """A PNG of rows of pictures, each with some words below."""
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * _SHOWN, len(rows) * (_SHOWN + _CAPTION)), "white")
    canvas = ImageDraw.Draw(sheet)
    for y, (row, words) in enumerate(zip(rows, captions)):
        for x, (picture, word) in enumerate(zip(row, words)):
            place = (x * _SHOWN, y * (_SHOWN + _CAPTION))
            sheet.paste(picture.resize((_SHOWN - 4, _SHOWN - 4), Image.Resampling.NEAREST), place)
            canvas.multiline_text(
                (place[0], place[1] + _SHOWN - 2), "\n".join(textwrap.wrap(word, 20)), fill="black", spacing=1
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        sheet.save(temporary, format="PNG")
