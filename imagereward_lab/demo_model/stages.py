"""Runs a schedule, one stage from the result of the one before. Every stage has a folder; what is done is not done again."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imagereward_core.cli.main import main as command
from imagereward_core.files.whole import written_whole
from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import RewardConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.vit import VisionTransformer
from imagereward_core.scorers.tokenizers.bert import PromptEncoder, pad_ids
from imagereward_core.weights.bundled import MODEL_FOLDER

from ..training.errors import TrainingError
from ..training.export import Made, export
from ..training.initialise import initialise
from ..training.jobs.job import FACTS
from ..training.networks.reward import RewardTrainee
from ..training.networks.starts import Start, open_start
from ..training.state.checkpoints import CheckpointFolder, check_settings
from .dataset import HeldOutGroup, held_out_group
from .families import Mixture, write_families
from .grounding import grounding
from .naming import naming
from .schedule import Grounding, Naming, Ranking, Schedule
from .teaching import teach

SPEC = ImageSpec(size=64)
TOKEN_LIMIT = 35
BEGUN, DONE, RESULT = "schedule.json", "done.json", "demo-stage.safetensors"
_SCALE_SEED, _SCALE_GROUPS = 5_000_000, 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Course:
    """A schedule on its way.

    Attributes:
        output: Its folder.
        schedule: What is done.
        config: The network's sizes.
        say: Told what goes on.
    """

    output: Path
    schedule: Schedule
    config: RewardConfig
    say: Say

    def run(self) -> tuple[Path, list[dict[str, Any]]]:
        """Does what is left to do; returns the last stage's checkpoint and the facts of all stages.

        Raises:
            TrainingError: The folder belongs to another schedule, or a stage cannot be finished.
        """
        self._check()
        start: Path | None = None
        facts = []
        for name, stage in self.schedule.named():
            folder = self.output / name
            done = folder / DONE
            if not done.is_file():
                self.say(f"{name}: begins, or goes on")
                began = time.perf_counter()
                found = self._do(stage, start, folder)
                told = {
                    **found,
                    "date": time.strftime("%Y-%m-%d"),
                    "seconds": round(time.perf_counter() - began),  # of the last go, where there were several
                    "torch": torch.__version__,
                    "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
                }
                write_json(done, told)
            facts.append(json.loads(done.read_text(encoding="utf-8")))
            start = folder / RESULT
        assert start is not None
        return start, facts

    def _check(self) -> None:
        path = self.output / BEGUN
        expected = {**self.schedule.facts(), "network": json.loads(json.dumps(self.config.to_dict()))}
        if path.is_file():
            check_settings(json.loads(path.read_text(encoding="utf-8")), expected, self.output)
        else:
            self.output.mkdir(parents=True, exist_ok=True)
            write_json(path, expected)

    def _do(self, stage: Naming | Grounding | Ranking, start: Path | None, folder: Path) -> dict[str, Any]:
        if isinstance(stage, Ranking):
            if start is None:
                raise TrainingError("the first stage is a ranking; expected naming before it")
            return self._rank(stage, start, folder)
        network = self._network(stage.seed, start)
        if isinstance(stage, Naming):
            tower = network.blip.visual_encoder
            assert isinstance(tower, VisionTransformer)
            lesson = naming(tower, SPEC, stage.seed, stage.scenes, stage.batch)
        else:
            encode = _Ids()
            lesson = grounding(
                network,
                SPEC,
                encode,
                stage.seed,
                stage.scenes,
                stage.batch,
                stage.place_weight,
                stage.pairs,
                stage.opposites,
                stage.sides_weight,
            )
        share = teach(
            lesson,
            seed=stage.seed,
            steps=stage.steps,
            learning_rate=stage.learning_rate,
            report=self.say,
            folder=CheckpointFolder(folder),
        )
        facts = {**vars(stage), lesson.right.replace(" ", "_"): round(share, 4)}
        network.eval()
        self._export(network, folder, facts)
        return facts

    def _network(self, seed: int, start: Path | None) -> RewardNetwork:
        if start is None:
            network = RewardNetwork(self.config)
            initialise(network, seed)
            return network
        return opened(start)

    def _export(self, network: RewardNetwork, folder: Path, facts: dict[str, Any]) -> None:
        """Writes what a lesson made as a checkpoint with its card, from which ``imagereward train`` starts."""
        encoder = _Ids().encoder
        groups = (held_out_group(_SCALE_SEED + number, SPEC) for number in range(_SCALE_GROUPS))
        rewards = [float(each) for group in groups for each in raw_rewards(network, encoder, group)]
        before = Start(
            RewardTrainee(network, SPEC, encoder), "random weights", "drawn scenes", "demo", ("all of it",)
        )
        made = Made(
            name=Path(RESULT).stem, rewards=rewards, title=f"Demo, after {facts['stage']}", facts=facts
        )
        export(before, made, folder, overwrite=True)

    def _rank(self, stage: Ranking, start: Path, folder: Path) -> dict[str, Any]:
        """Ranking is the command, with the options anybody would give it."""
        self.say(f"draws {stage.families} families of scenes ...")
        mixture = Mixture(
            place_weight=stage.place_weight, flawed=stage.flawed, flawed_scenes=stage.flawed_scenes
        )
        data = write_families(folder / "data", stage.families, stage.validation, SPEC, stage.seed, mixture)
        options = {
            "--output": folder,
            "--start": start,
            "--name": Path(RESULT).stem,
            "--epochs": stage.epochs,
            "--learning-rate": stage.learning_rate,
            "--batch-pairs": stage.batch_pairs,
            "--freeze": 0,
            "--warmup": 0.03,
            "--clip-norm": 1,
            "--patience": 0,
            "--validations": 2,
            "--seed": stage.seed,
            "--device": "cpu",
        }
        words = [str(word) for pair in options.items() for word in pair]
        code = command(["train", str(data), *words, "--resume", "--no-tensorboard"])
        if code:
            raise TrainingError(
                f"'imagereward train' ended with code {code}; expected 0. See above, and run the same again"
            )
        told = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        history = told["history"]
        curves = ("training_loss", "validation_loss", "validation_accuracy")
        return {
            **vars(stage),
            "steps": history["steps"],
            **{name: [round(value, 4) for value in history[name]] for name in curves},
        }


class _Ids:
    """Prompts to token ids."""

    def __init__(self) -> None:
        self.encoder = PromptEncoder(MODEL_FOLDER / "vocab.txt", TOKEN_LIMIT)

    def __call__(self, prompt: str) -> tuple[int, ...]:
        return self.encoder(prompt).ids


def opened(checkpoint: Path) -> RewardNetwork:
    """The network of a checkpoint, in float32."""
    network = open_start(str(checkpoint)).trainee.network
    assert isinstance(network, RewardNetwork)
    return network


def raw_rewards(network: RewardNetwork, encoder: PromptEncoder, group: HeldOutGroup) -> Tensor:
    """Raw rewards float32 [K] of one held-out group."""
    ids, mask = pad_ids([encoder(group.prompt).ids])
    with torch.no_grad():
        image = network.encode_images(normalize(group.pixels, SPEC))
        number = image.shape[0]
        return network.mlp(network.text_states(ids.expand(number, -1), mask.expand(number, -1), image))[:, 0]


def write_json(path: Path, content: Any) -> None:
    """Writes a file whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
