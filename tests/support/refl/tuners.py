"""A tuner of a tiny model towards bright pictures, which needs no scorer."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from imagereward_lab.refl.bases.base import Base
from imagereward_lab.refl.guards.options import GuardOptions
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.methods.options import MethodOptions, ReflOptions
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.refl.tuning.config import TuningConfig
from imagereward_lab.refl.tuning.examples import Examples
from imagereward_lab.refl.tuning.tuner import Tuner
from imagereward_lab.refl.watching.previews import Previews
from imagereward_lab.training.state.checkpoints import CheckpointFolder
from imagereward_lab.training.state.processes import Processes

TUNED = ("a red star", "two blue circles", "a gray star on a red background")
CHECKED = ("a star", "two gray circles")
OPTIONS = ReflOptions(steps=5, first=3, last=4, height=16, width=16, bound=math.inf, weight=1.0)
CONFIG = TuningConfig(
    updates=4,
    batch=3,
    accumulate=1,
    learning_rate=1e-2,
    rank=2,
    check_every=2,
    save_every=1,
    denoising_weight=0.1,
    ema=0.5,
)


def brightness(images, prompts):
    """Mean brightness of images [N, 3, H, W]: a reward that anybody can follow."""
    return images.mean(dim=(1, 2, 3))


class Brightness:
    """The same as a measure, times a factor."""

    reads_prompts = False

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def __call__(self, pictures, prompts):
        images = [
            torch.from_numpy(np.asarray(each).copy()).permute(2, 0, 1).float() / 255 for each in pictures
        ]
        values = self.factor * brightness(torch.stack(images), prompts).numpy()
        return np.repeat(values[:, None], len(prompts), axis=1)


def examples_of(base: Base, number: int = 4) -> Examples:
    """Latents of noise: whatever the second loss is about, it can be calculated with them."""
    noise = base.noise([torch.Generator().manual_seed(seed) for seed in range(number)], 16, 16)
    return Examples(latents=noise, prompts=TUNED[:1] * number, origin="noise")


def tuner_of(
    base: Base,
    folder: Path | None = None,
    measures: dict[str, Any] | None = None,
    options: MethodOptions = OPTIONS,
    guards: GuardOptions | None = None,
    method: str = "refl",
    among: Processes | None = None,
    **changes: Any,
) -> Tuner:
    """A tuner of ``base``, which gets a fresh LoRA; one it had is taken out."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    config = replace(CONFIG, **changes)
    for name, layer in list(base.denoiser.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            parent = base.denoiser.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], layer.get_base_layer())
    adapter = attach(base, base.targets(), rank=config.rank, seed=config.seed)
    drawing = MethodOptions(steps=3, height=16, width=16)
    among = among or Processes()
    previews = Previews(base, CHECKED, 2, drawing, config.seed, measures or {"bright": Brightness()}, among)
    return Tuner(
        base=base,
        adapter=adapter,
        reward=brightness,
        method=METHODS[method],
        options=options,
        config=config,
        guards=guards or GuardOptions(),
        prompts=TUNED,
        examples=examples_of(base),
        check=previews.check,
        among=among,
        folder=None if folder is None else CheckpointFolder(folder),
    )
