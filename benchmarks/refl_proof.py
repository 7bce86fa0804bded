"""Is a generator tuned to a reward without being ruined? Run as ``python -m benchmarks.refl_proof``.

The tiny generator is tuned to the demo scorer by the commands of docs/refl.md, in several ways: by ``refl`` and ``draft-k`` with the
guards that are on by default, and twice with settings that provoke reward hacking, without guards and with them. A second scorer, which
nothing is tuned to, watches. Then each way draws the same new prompts from the same seeds, as it was tuned (without guidance) and with
guidance, and what it drew is measured here. A step that is done is not done again.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from imagereward_core.demo.scenes import Scene, scene_where
from imagereward_lab.figures.contact_sheet import write_sheet
from imagereward_lab.generator.measure import Judge, by_aspect, demo_judge, judge_of, own_over_others
from imagereward_lab.generator.pictures import as_pictures, drawn
from imagereward_lab.generator.places import places
from imagereward_lab.refl.guards.diversity import diversity

from .loop import TRAINED, some_prompts
from .loop_steps import Steps
from .scorers import save_results

LATE = (
    "--method refl --steps 20 --first 10 --last 19 --eta 0 --targets all --learning-rate 1e-3 --warmup 0.05 --cooldown 0.5 "
    "--denoising-weight 0.02 --distance-weight 6e-5 --bound 3.3"
)
"""For a generator that is good already: time to settle, and a bound that is the best of the demo scorer's reference scores."""
LARGE = (
    "--method refl --steps 20 --first 10 --last 19 --eta 0 --targets all --learning-rate 1.5e-3 --warmup 0.05 --cooldown 0.5 --batch 64 "
    "--denoising-weight 0.02 --distance-weight 1e-4 --bound 3.3"
)
"""Larger steps from more pictures, for a generator that has much to learn."""
HALF = (
    "--method draft-k --k 5 --steps 10 --targets all --learning-rate 1e-3 --warmup 0.05 --cooldown 0.7 "
    "--denoising-weight 0.01 --distance-weight 2e-4 --bound 3.3"
)
"""A gradient through half of the drawing, which leaves it where things go."""
MANY = (
    "--method refl --steps 10 --first 4 --last 9 --eta 0 --targets all --learning-rate 3e-3 --warmup 0.05 --cooldown 0.5 --batch 128 "
    "--denoising-weight 0.02 --bound 3.3"
)
"""Twice as many pictures again, of half as many steps each, let steps be as large as a generator that draws badly needs."""
DEEP = (
    "--method draft-k --k 5 --steps 10 --targets all --learning-rate 2e-3 --warmup 0.05 --cooldown 0.5 --batch 64 "
    "--denoising-weight 0.02 --distance-weight 1e-4 --bound 3.3"
)
"""The same through half of the drawing."""
HACKED = (
    "--method draft-k --k 10 --steps 10 --targets all --learning-rate 1e-3 --warmup 0.05 --cooldown 0.6 --denoising-weight 0.03 "
    "--bound 3.3 --updates 100 --check-every 10"
)
"""Through the whole drawing by large steps: soon pictures of one prompt hardly differ."""
WAYS: dict[str, tuple[str, ...]] = {
    "refl": tuple(LATE.split()),
    "refl, larger steps": tuple(LARGE.split()),
    "refl, many pictures": tuple(f"{MANY} --distance-weight 1e-4 --watch keep --diversity-fall 25".split()),
    "refl, drawn back less": tuple(f"{MANY} --distance-weight 5e-5".split()),
    "draft-k": tuple(HALF.split()),
    "draft-k, larger steps": tuple(DEEP.split()),
    "hacked, no guards": tuple(f"{HACKED} --no-guards".split()),
    "hacked, with guards": tuple(HACKED.split()),
}
GUIDANCE = {"": 1.0, "-guided": 4.0}
"""By the ending of the folder's name: as it was tuned, and as it draws best."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything.

    Attributes:
        tuned: Prompts that it is tuned on.
        checked: Other prompts that checks draw, four times each, without guidance.
        new: Held-out prompts that each way draws at the end.
        seeds: Pictures of each of these.
        updates: Of a tuning.
        batch: Pictures of an update.
        steps: Of drawing at checks and at the end.
    """

    tuned: int = 400
    checked: int = 20
    new: int = 100
    seeds: int = 2
    updates: int = 200
    batch: int = 32
    steps: int = 25


SMALL = Scale(tuned=8, checked=2, new=4, seeds=2, updates=2, batch=2, steps=2)
"""To see in minutes whether all of it works."""


class Proof:
    """All ways in a folder.

    Args:
        folder: Of everything that is made.
        generator: The generator's checkpoint.
        scale: How much of everything.
        second: The scorer that watches, by its id.
        models: The folder it lies in.
        more: Further options of the commands that read the generator.
    """

    def __init__(
        self, folder: Path, generator: Path, scale: Scale, second: str, models: Path, more: Sequence[str] = ()
    ) -> None:
        self.folder, self.scale, self.second, self.models = folder, scale, second, models
        self.steps = Steps(folder, {"scale": asdict(scale), "second": second})
        self.model = ("--model", str(generator.absolute()), *more, "--device", "cpu")
        self.scenes = _scenes(scale.new)

    def run(self, ways: Sequence[str]) -> dict[str, Any]:
        """The ways named, and what each drew beside what the untouched generator drew."""
        self._prompts()
        before = {ending: self._drawn(f"before{ending}", guidance) for ending, guidance in GUIDANCE.items()}
        judges = {
            "demo": demo_judge(),
            self.second: judge_of(str(self.models / f"{self.second}.safetensors")),
        }
        base = {ending: self._measured(f"before{ending}", judges) for ending in GUIDANCE}
        found: dict[str, Any] = {"before": {**base[""], "guided": base["-guided"]}}
        for way in ways:
            name = way.replace(", ", "-").replace(" ", "-")
            told = self._tuned(way, name)
            if (self.folder / name / f"{name}.safetensors").is_file():
                after = self._after(name, "", base[""], judges)
                after["guided"] = self._after(name, "-guided", base["-guided"], judges)
                self._sheet(name, before[""])
            else:
                after = {"lora": "none: no state was good"}
            found[way] = {**after, "tuning": told, "checks": self._checks(name)}
        return {
            "right": self._right(judges),
            "ways": found,
            "seconds": self.steps.seconds(),
            "commands": self.steps.lines(),
        }

    def _right(self, judges: dict[str, Judge]) -> dict[str, Any]:
        """What right drawings of the same prompts have, and how much they differ: no generator has a part in it."""
        folder, rng = self.folder / "right", random.Random("proof right")
        folder.mkdir(exist_ok=True)
        scenes = [scene for scene in self.scenes for _ in range(self.scale.seeds)]
        for place, picture in enumerate(as_pictures(drawn(scenes, rng, 64))):
            picture.save(folder / f"{place:04}.png")
        return self._measured(folder.name, judges)

    def _after(
        self, name: str, ending: str, base: dict[str, Any], judges: dict[str, Judge]
    ) -> dict[str, Any]:
        """What the tuned generator draws beside what it drew before."""
        where = f"after-{name}{ending}"
        self._drawn(where, GUIDANCE[ending], "--lora", f"{name}/{name}.safetensors")
        after = self._measured(where, judges)
        after["rise_in_deviations"] = {
            each: round(
                (after["scores"][each]["mean"] - base["scores"][each]["mean"])
                / base["scores"][each]["deviation"],
                3,
            )
            for each in judges
        }
        after["diversity_change"] = round(after["diversity"] / base["diversity"] - 1, 3)
        return after

    def _prompts(self) -> None:
        checked = some_prompts(self.scale.checked, "proof checked", held_out=True)
        files = {
            "tuned.txt": some_prompts(self.scale.tuned, "proof tuned", held_out=False),
            "checked.txt": checked,
            "new.txt": [scene.prompt for scene in self.scenes],
        }
        for name, prompts in files.items():
            (self.folder / name).write_text("\n".join(prompts) + "\n", encoding="utf-8")

    def _tuned(self, way: str, name: str) -> dict[str, Any]:
        scale = self.scale
        course = f"--updates {scale.updates} --batch {scale.batch} --previews {scale.checked}".split()
        checks = f"--check-every {max(1, scale.updates // 10)} --preview-steps {scale.steps} --preview-guidance 1".split()
        given = f"--prompts tuned.txt --validation checked.txt --scorer demo --also {self.second}".split()
        small: tuple[str, ...] = (
            tuple("--denoising-pictures 4 --steps 3 --updates 2 --batch 2".split()) if scale == SMALL else ()
        )
        if small:
            small += ("--k", "2") if "draft-k" in WAYS[way] else ("--first", "1", "--last", "2")
        rest = (
            *WAYS[way],
            *small,
            "--models-dir",
            str(self.models.absolute()),
            "--no-tensorboard",
            "--resume",
        )
        told = self.steps.command(
            f"refl {name}",
            *(
                "refl",
                *self.model,
                *given,
                *course,
                *checks,
                "--no-checkpointing",
                "--accumulate",
                "1",
                *rest,
                "-o",
                name,
                "--name",
                name,
                "-f",
                "json",
            ),
            fine=(0, 1),  # 1: the guards stopped it
        )
        kept = ("update", "stopped", "before", "after", "diversity", "seconds")
        read = json.loads(told)
        return {each: read[each] for each in kept if each in read}

    def _checks(self, name: str) -> list[dict[str, str]]:
        """The curves: the rows of the table of checks."""
        with (self.folder / name / "checks.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _drawn(self, name: str, guidance: float, *more: str) -> list[Path]:
        scale = self.scale
        size = f"--number {scale.seeds} --steps {scale.steps} --guidance {guidance:g} --batch 16 --seed 700000".split()
        self.steps.command(
            f"draw {name}", "draw", *self.model, "--prompts", "new.txt", "-o", name, *size, *more
        )
        return self._pictures(name)

    def _pictures(self, name: str) -> list[Path]:
        """In the order of prompts, and of seeds within each."""
        return sorted((self.folder / name).glob("*.png"))

    def _measured(self, name: str, judges: dict[str, Judge]) -> dict[str, Any]:
        paths, each = self._pictures(name), self.scale.seeds
        scenes = [scene for scene in self.scenes for _ in range(each)]
        if len(paths) != len(scenes):
            raise SystemExit(
                f"{name} holds {len(paths)} pictures; expected {len(scenes)}: remove the folder's steps and draw again"
            )
        pictures = [Image.open(path).convert("RGB") for path in paths]
        pixels = torch.stack([torch.from_numpy(np.asarray(picture).copy()) for picture in pictures])
        images = pixels.permute(0, 3, 1, 2).float() / 255
        share, own = own_over_others(scenes, pictures, judges["demo"])
        prompts = [scene.prompt for scene in scenes]
        scores = {who: own if who == "demo" else judge(pictures, prompts) for who, judge in judges.items()}
        return {
            "pictures": len(pictures),
            "scores": {
                who: {"mean": round(float(found.mean()), 4), "deviation": round(float(found.std(ddof=1)), 4)}
                for who, found in scores.items()
            },
            "own_over_others": round(share, 4),
            f"own_over_others_by_{self.second}": round(
                own_over_others(scenes, pictures, judges[self.second])[0], 4
            ),
            "right_in": {
                aspect: round(row["share"], 4)
                for aspect, row in by_aspect(scenes, pictures, own, judges["demo"]).items()
            },
            "places": places(scenes, pictures),
            "diversity": round(diversity(images.reshape(self.scale.new, each, *images.shape[1:])), 4),
        }

    def _sheet(self, name: str, before: Sequence[Path]) -> None:
        """Before above after, for whoever looks."""
        after = self._pictures(f"after-{name}")
        rows, words = [], []
        few = range(0, min(len(before), 48 * self.scale.seeds), self.scale.seeds)
        for first in range(0, len(few), 12):
            some = few[first : first + 12]
            for paths in (before, after):
                rows.append([Image.open(paths[place]).convert("RGB") for place in some])
                words.append([self.scenes[place // self.scale.seeds].prompt for place in some])
        write_sheet(self.folder / f"sheet-{name}.png", rows, words)


def _scenes(number: int) -> list[Scene]:
    rng, found = random.Random("proof new"), dict[str, Scene]()
    while len(found) < number:
        scene = scene_where(rng, held_out=True)
        found.setdefault(scene.prompt, scene)
    return list(found.values())


def main(arguments: list[str] | None = None, out: Callable[[str], None] = print) -> None:
    """Tunes, measures and writes ``refl_proof.json``, or ``refl_proof_early.json`` of a generator that learnt for a short time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/refl-proof"), help="the same one goes on")
    parser.add_argument("--generator", type=Path, default=TRAINED)
    parser.add_argument(
        "--early",
        type=int,
        metavar="STEPS",
        help="the generator was made by train_generator --early STEPS; it has a record of its own",
    )
    parser.add_argument("--second", required=True, help="id of another scorer, which watches")
    parser.add_argument("--models-dir", type=Path, required=True, help="the folder it lies in")
    parser.add_argument("--what", default="another scorer", help="what it is, in words, for the record")
    parser.add_argument("--way", action="append", choices=list(WAYS), help="only these ways")
    parser.add_argument("--merges", type=Path)
    parser.add_argument("--small", action="store_true", help="see in minutes whether it runs")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    options = parser.parse_args(arguments)
    scale = SMALL if options.small else Scale()
    more = ("--merges", str(options.merges.absolute())) if options.merges else ()
    proof = Proof(options.folder, options.generator, scale, options.second, options.models_dir, more)
    found = proof.run(options.way or list(WAYS))
    figures = {"scale": asdict(scale), "second": options.what, "early": options.early, **found}
    save_results("refl_proof" if options.early is None else "refl_proof_early", figures, options.output)
    for way, row in figures["ways"].items():
        out(f"{way}: {json.dumps({name: row[name] for name in row if name not in ('checks', 'tuning')})}")


if __name__ == "__main__":
    main()
