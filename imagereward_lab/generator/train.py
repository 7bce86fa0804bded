"""Makes the generator: ``python -m imagereward_lab.generator.train``, which ``nox -s train_generator`` runs.

First an autoencoder learns to turn drawn scenes into latents and back, then a UNet and a text tower learn to draw a prompt's latents. All
pictures and prompts are the demo's; a tenth of the prompts is held out. The result is a Stable Diffusion 1 checkpoint in miniature. Killed
at any time, the same command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from imagereward_core.errors import CuratorError
from imagereward_core.runtime import pick_device
from imagereward_core.weights.checkpoint import write_state

from ..demo_model.stages import write_json
from ..figures.contact_sheet import write_sheet
from ..training.errors import TrainingError
from ..training.state.checkpoints import CheckpointFolder, check_settings
from .layout import to_checkpoint
from .learning import Lesson, learn
from .lessons import autoencoding, channel_statistics, denoising, in_rows, settings_of
from .measure import Judge, demo_judge, measure, reaches_goal
from .networks import SCALE, Generator, GeneratorConfig, rescale_latents
from .pictures import as_pictures, some_scenes
from .prompts import PromptIds, merges_in
from .sampling import sample
from .schedule import SCHEDULE, Denoising, Schedule, Stage
from .speed import PRECISIONS, chosen_precision, quick_on_processors
from .stored import FACTS, MODEL, load_stage, save_stage

BEGUN, DONE, SHEET = "schedule.json", "done.json", "sheet.png"
HELD_OUT_SEED = 300

Say = Callable[[str], None]


def make(
    output: Path,
    schedule: Schedule = SCHEDULE,
    config: GeneratorConfig | None = None,
    *,
    merges: Path | None = None,
    device: str = "cpu",
    precision: str = "auto",
    say: Say = print,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """Does what is left of the schedule, measures the result, and writes it into ``output / "model"``; returns its facts.

    Args:
        output: The folder of the whole course.
        schedule: The stages.
        config: The networks' sizes; None for the generator's own.
        merges: CLIP's vocabulary; None for that of the package ``open_clip_torch``.
        device: Where to learn.
        precision: One of ``speed.PRECISIONS``.
        say: Told what goes on.
        judge: Who scores; None for the embedded demo scorer.

    Raises:
        TrainingError: The folder belongs to another schedule, or a stage cannot be finished.
        WeightsError: Another program works in the folder.
    """
    sizes = config or GeneratorConfig()
    with CheckpointFolder(output).held():
        _check(output, schedule, sizes)
        ids = PromptIds(merges_in(output / "clip", merges), sizes.positions)
        return _Course(output, schedule, sizes, ids, device, precision, say, judge or demo_judge()).run()


class _Course:
    """A schedule on its way."""

    def __init__(
        self,
        output: Path,
        schedule: Schedule,
        config: GeneratorConfig,
        ids: PromptIds,
        device: str,
        precision: str,
        say: Say,
        judge: Judge,
    ) -> None:
        self.output, self.schedule, self.ids, self.say, self.judge = output, schedule, ids, say, judge
        self.config = config
        self.device = pick_device(device)
        self.precision = chosen_precision(precision, self.device)

    def run(self) -> dict[str, Any]:
        """All that is left; the facts of the result."""
        generator = Generator(self.config, self.schedule.autoencoding.seed).to(self.device)
        first = self.schedule.autoencoding

        def scale() -> None:
            mean, deviation = channel_statistics(generator, first.seed, first.scale_scenes)
            rescale_latents(generator.vae, mean, 1 / (SCALE * deviation))

        facts = [
            self._stage(
                "1-autoencoding",
                first,
                generator,
                lambda at: autoencoding(generator, first, at, self.judge, self.precision),
                scale,
            ),
            *(
                self._stage(name, stage, generator, partial(self._denoising, generator, stage))
                for name, stage in (
                    ("2-denoising", self.schedule.denoising),
                    ("3-placing", self.schedule.placing),
                )
                if stage is not None
            ),
        ]
        return self._finish(generator, facts)

    def _denoising(self, generator: Generator, stage: Denoising, folder: Path) -> Lesson:
        return denoising(
            generator, stage, self.schedule, self.ids, folder, self.judge, self.say, self.precision
        )

    def _stage(
        self,
        name: str,
        stage: Stage,
        generator: Generator,
        lesson: Callable[[Path], Lesson],
        afterwards: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Leaves the generator as after a stage; what is done is not done again."""
        folder = self.output / name
        done = folder / DONE
        if not done.is_file():
            self.say(f"{name}: begins, or goes on")
            began = time.perf_counter()
            networks = (generator.unet, generator.vae, generator.text) if self.device.type == "cpu" else ()
            with quick_on_processors(*networks):
                history = learn(
                    lesson(folder),
                    settings={**settings_of(stage), "precision": self.precision},
                    folder=CheckpointFolder(folder),
                    report=self.say,
                )
            afterwards()
            save_stage(generator, folder)
            told = {
                **settings_of(stage),
                "history": history,
                "date": time.strftime("%Y-%m-%d"),
                "seconds": round(time.perf_counter() - began),  # of the last go, where there were several
                "precision": self.precision,
                "torch": torch.__version__,
                "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {self.device.type}",
            }
            write_json(done, told)
        load_stage(generator, folder)
        return json.loads(done.read_text(encoding="utf-8"))

    def _finish(self, generator: Generator, stages: list[dict[str, Any]]) -> dict[str, Any]:
        """Rounds the weights to half precision, as they are stored, and measures what is stored."""
        folder = self.output / "model"
        folder.mkdir(parents=True, exist_ok=True)
        generator.half().float()
        state = {
            name: value.half() if value.is_floating_point() else value
            for name, value in to_checkpoint(generator).items()
        }
        self.say(f"draws {self.schedule.held_out} held-out prompts and measures ...")
        scenes = some_scenes(
            random.Random(f"held out {HELD_OUT_SEED}"), self.schedule.held_out, held_out=True
        )
        prompts = [scene.prompt for scene in scenes]
        images = sample(
            generator,
            self.ids,
            prompts,
            seed=HELD_OUT_SEED,
            steps=self.schedule.sampling_steps,
            guidance=self.schedule.guidance,
        )
        pictures = as_pictures(images)
        held_out = measure(scenes, pictures, self.judge)
        write_sheet(folder / SHEET, *in_rows(pictures[:48], prompts[:48]))
        write_state(folder / MODEL, state, {"format": "pt"})
        data = (folder / MODEL).read_bytes()
        facts = {
            "config": self.config.to_dict(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "parameters": sum(value.numel() for value in state.values() if value.is_floating_point()),
            "held_out": {
                "guidance": self.schedule.guidance,
                "sampling_steps": self.schedule.sampling_steps,
                **held_out,
            },
            "training": stages,
        }
        write_json(folder / FACTS, facts)
        return facts


def _check(output: Path, schedule: Schedule, config: GeneratorConfig) -> None:
    """Makes sure that the folder is of this schedule, and marks it as such.

    Raises:
        TrainingError: It is of another.
    """
    path = output / BEGUN
    expected = {**schedule.facts(), "network": config.to_dict()}
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise TrainingError(f"{path} is no JSON ({error}); begin anew in another --output") from error
        check_settings(found, expected, output)
    else:
        output.mkdir(parents=True, exist_ok=True)
        write_json(path, expected)


def main(arguments: list[str] | None = None, schedule: Schedule = SCHEDULE) -> int:
    """Makes the generator and tells how good it is.

    Returns 0 where it reaches the goal, or was not meant to (``--early``), 1 where it does not, 4 where it could not be made.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/generator"),
        help="folder to work in; the same one goes on after a kill",
    )
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="part of all data and steps, to see it run (0.01: minutes); more than 1 learns longer",
    )
    parser.add_argument(
        "--early",
        type=int,
        metavar="STEPS",
        help="let the denoiser learn for so many steps only and leave out what follows: a worse generator, of which tuning can make more",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of products while learning; auto: bf16 where the machine has units for it",
    )
    parser.add_argument(
        "--merges",
        type=Path,
        help="CLIP's merges.txt, or the .gz of it that OpenAI's packages carry; default: that of open_clip_torch",
    )
    options = parser.parse_args(arguments)
    if options.early is not None and options.early < 1:
        parser.error(f"--early is {options.early}; expected at least 1 step")
    chosen = schedule if options.early is None else schedule.early(options.early)
    chosen = chosen if options.share == 1.0 else chosen.scaled(options.share)
    try:
        facts = make(
            options.output,
            chosen,
            merges=options.merges,
            device=options.device,
            precision=options.precision,
            say=lambda line: print(line, flush=True),
        )
    except CuratorError as error:
        print(error, file=sys.stderr)
        return 4
    found = facts["held_out"]
    print(
        f"own prompt above another's: {100 * found['own_over_others']:.1f} % of {found['pairs']} pairs (goal 98 %)"
    )
    for name, row in found["by_aspect"].items():
        print(f"  right in {name:7s} {100 * row['share']:6.1f} %  of {row['pairs']}")
    lie = found["places"]
    print(
        f"two things lie as asked in {100 * lie['right']:.1f} % of {lie['pictures']} pictures, and have changed places in "
        f"{100 * lie['opposite']:.1f} %"
    )
    print(
        f"mean score {found['mean']:.2f} (goal {found['half_way']:.2f}; degraded drawings {found['mean_of_degraded']:.2f}, right ones "
        f"{found['mean_of_drawings']:.2f})"
    )
    print(
        f"{facts['size']:,} bytes in {options.output / 'model' / MODEL}; look at {options.output / 'model' / SHEET}"
    )
    return 0 if options.early is not None or reaches_goal(found) else 1


if __name__ == "__main__":
    sys.exit(main())
