"""Tiny pictures, rankings of them, and a network that can be trained on them in a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from imagereward_core.errors import ImageError
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import HeadConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.training.batches.examples import examples_of
from imagereward_lab.training.batches.frozen_cache import FrozenCache
from imagereward_lab.training.batches.pictures import PictureReader
from imagereward_lab.training.batches.rankings import RankingBatches
from imagereward_lab.training.config import TrainingConfig
from imagereward_lab.training.initialise import initialise
from imagereward_lab.training.losses import make_objective
from imagereward_lab.training.networks.freezing import freeze
from imagereward_lab.training.networks.reward import RewardTrainee
from imagereward_lab.training.state.checkpoints import CheckpointFolder
from imagereward_lab.training.state.processes import Processes
from imagereward_lab.training.trainer import Trainer
from tests.support.tiny import TINY, write_vocabulary

SPEC = ImageSpec(size=32)
STEADY = replace(
    TINY,
    vision=replace(TINY.vision, drop_path=0.0),
    text=replace(TINY.text, dropout=0.0),
    head=HeadConfig(widths=(24, 16, 12, 8), dropouts=(), mean=0.0, std=1.0),
    projection=0,
)
"""The tiny network without anything random."""


class Drawn:
    """Pictures by name, ``<number>``: a shade that follows from it, with noise. Some cannot be read."""

    def __init__(self, missing=(), nan=()):
        self.missing, self.nan, self.opened = set(missing), set(nan), []

    def open(self, name):
        self.opened.append(name)
        if name in self.missing:
            raise ImageError(f"{name}: no such file; expected a picture. Check the path.")
        noise = np.random.default_rng(int(name)).integers(-25, 25, (40, 36, 3))
        shade = 25 + 37 * int(name) % 205
        if name in self.nan:
            return np.full((40, 36, 3), np.nan, dtype=np.float32)
        return (noise + shade).clip(0, 255).astype(np.uint8)


def shade_of(name):
    """How bright a picture is."""
    return 25 + 37 * int(name) % 205


def rankings(number=8, size=3, first=0):
    """People who want bright pictures for one word and dark ones for another."""
    made = []
    for row in range(number):
        names = tuple(str(first + row * size + place) for place in range(size))
        bright = row % 2 == 0
        order = sorted({shade_of(name) for name in names}, reverse=bright)
        made.append(
            Ranking(
                "a bright z" if bright else "dark q",
                names,
                tuple(order.index(shade_of(name)) + 1 for name in names),
            )
        )
    return made


def make_trainer(
    folder: Path,
    *,
    learn=None,
    judge=None,
    images=None,
    network_config=STEADY,
    among=None,
    keep=False,
    cache=False,
    report=None,
    seed=0,
    **settings,
):
    """A trainer over drawn pictures; ``settings`` are those of the configuration."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    among = among or Processes()
    usual = {
        "epochs": 2,
        "learning_rate": 2e-3,
        "batch_pairs": 12,
        "freeze": 0.0,
        "validations_per_epoch": 2,
    }
    config = TrainingConfig(**{**usual, **settings})
    network = RewardNetwork(network_config)
    initialise(network, seed)
    trainee = RewardTrainee(network, SPEC, PromptEncoder(write_vocabulary(folder), 12))
    frozen = freeze(trainee, config.freeze, config.freezing)
    objective = make_objective(config.loss, config.mean)
    kept = FrozenCache(folder / "frozen", trainee, frozen, among.device) if cache else None
    reader = PictureReader(images or Drawn(), SPEC, 2, kept, report)

    def batches(found):
        return RankingBatches(
            examples_of(found, objective, joined=config.loss == "soft"),
            reader,
            trainee,
            batch_pairs=config.batch_pairs,
            accumulate=config.accumulate,
            among=among,
            seed=config.seed,
            cache=kept,
        )

    return Trainer(
        trainee=trainee,
        training=batches(learn if learn is not None else rankings()),
        validation=batches(judge if judge is not None else rankings(4, first=100)),
        config=config,
        objective=objective,
        frozen=frozen,
        among=among,
        folder=CheckpointFolder(folder / "run") if keep else None,
        depth=kept.depth if kept else 0,
    )


def weights(trainer):
    """All parameters, copied."""
    return {name: each.detach().clone() for name, each in trainer.trainee.network.named_parameters()}
