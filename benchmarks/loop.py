"""The loop of docs/loop.md: a generator learns what simulated people like, by asking them. Run as ``python -m benchmarks.loop``.

Every step is a command as a person types it, in the folder of the run. A step that is done is not done again, so that a loop that was
killed goes on. People have the eye of the demo scorer and a taste of their own beside it (``PEOPLE``), which no program is told: it sees
their answers alone. At the end fresh people of the same taste, who were never asked before, compare pictures of new prompts blindly.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from imagereward_core.demo.scenes import scene_where
from imagereward_lab.evaluation.generators.people.key import read_key
from imagereward_lab.figures.contact_sheet import write_sheet
from imagereward_lab.generator import networks
from imagereward_lab.generator.stored import MODEL

from .loop_steps import Steps
from .scorers import save_results

TRAINED = Path(networks.__file__).parent / "model" / MODEL
"""Where the generator lies once it is made."""
ASKED = ("ann", "bob", "eve")
PANEL = ("kim", "lee", "max", "nia", "oto")
PEOPLE: dict[str, Any] = {
    "scorer": "demo",
    "people": [
        {"name": name, "noise": 0.4, "step": 0.1, "quality": 1.0, "likes": {"warmth": warmth}}
        for name, warmth in zip((*ASKED, *PANEL), (54.0, 60.0, 66.0, 51.0, 57.0, 62.0, 69.0, 55.0))
    ],
}
"""All of them like warm pictures, some more; the demo scorer does not care. What the generator draws for one prompt without guidance
differs by a standard deviation of 0.53 in the demo scorer's score and of 0.022 in warmth: the taste is worth two and a half times what
quality is. With guidance 5 it would be 0.009, about as much as quality and errors."""
MINE, LORA = "loop-taste", "loop"
COURSE = (
    "--targets all --learning-rate 5e-4 --warmup 0.1 --cooldown 0.5 --denoising-weight 0.1 --distance-weight 1e-3 "
    "--scorer-fall 0.6 --steps 20 --first 10 --last 19 --eta 0 --preview-guidance 1 --no-checkpointing --accumulate 1"
)
"""How a generator as small as this one is tuned; see ``benchmarks.refl_proof``."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything.

    Attributes:
        asked: Prompts that people are asked about, each person about all of them.
        pictures: Of each of these prompts.
        tuned: Prompts that the generator is tuned on.
        panel: New prompts that the panel sees, with a picture before and after.
        steps: Of drawing.
        epochs: Of the training of the reward model.
        updates: Of the tuning of the generator.
        batch: Pictures of an update.
        seed: Of prompts, noise and errors.
    """

    asked: int = 300
    pictures: int = 6
    tuned: int = 400
    panel: int = 80
    steps: int = 25
    epochs: int = 3
    updates: int = 120
    batch: int = 16
    seed: int = 0


SMALL = Scale(asked=8, pictures=4, tuned=8, panel=6, steps=2, epochs=1, updates=2, batch=2)
"""To see in minutes whether all of it works."""


def some_prompts(number: int, seed: str, *, held_out: bool, but: Iterable[str] = ()) -> list[str]:
    """So many different prompts of scenes, none of ``but``; the held-out ones are new to the demo scorer and the generator as well."""
    rng, taken = random.Random(f"loop {seed}"), set(but)
    found: list[str] = []
    while len(found) < number:
        prompt = scene_where(rng, held_out).prompt
        if prompt not in taken:
            taken.add(prompt)
            found.append(prompt)
    return found


class Loop:
    """One loop in a folder.

    Args:
        folder: Of everything that is made.
        generator: The generator's checkpoint.
        scale: How much of everything.
        more: Further options for each command that takes ``--device`` and ``--merges``, by option.
    """

    def __init__(self, folder: Path, generator: Path, scale: Scale, merges: Path | None, device: str) -> None:
        self.folder, self.scale = folder, scale
        self.steps = Steps(folder, {"scale": asdict(scale), "people": PEOPLE})
        self.model: tuple[str, ...] = ("--model", str(generator.absolute()))
        if merges is not None:
            self.model += ("--merges", str(merges.absolute()))
        self.device = ("--device", device)
        self.mine = ("--models-dir", "models", *self.device)

    def prepare(self) -> None:
        """Writes who the people are, and the prompts."""
        scale = self.scale
        asked = some_prompts(scale.asked, f"asked {scale.seed}", held_out=False)
        files = {
            "asked.txt": asked,
            "tuned.txt": some_prompts(scale.tuned, f"tuned {scale.seed}", held_out=False, but=asked),
            "new.txt": some_prompts(scale.panel, f"panel {scale.seed}", held_out=True),
        }
        for name, prompts in files.items():
            (self.folder / name).write_text("\n".join(prompts) + "\n", encoding="utf-8")
        (self.folder / "people.json").write_text(json.dumps(PEOPLE, indent=1) + "\n", encoding="utf-8")

    def draw(self, name: str, prompts: str, number: int, seed: int, *more: str) -> None:
        """Pictures of a file of prompts."""
        given = ("--prompts", prompts, "-o", name, "--number", str(number), "--seed", str(seed))
        drawing = ("--steps", str(self.scale.steps), "--guidance", "1", "--batch", "16")
        self.steps.command(f"draw {name}", "draw", *self.model, *given, *drawing, *more, *self.device)

    def ask(self) -> None:
        """The crew is asked about the drawn pictures, through the server."""
        people = ("--people", str(len(ASKED)))
        self.steps.command(
            "project", "annotate", "new", "project", "--from", "drawn", *people, anew=self.folder / "project"
        )
        for name in ASKED:
            self.steps.person("project", name)
        self.steps.answered("project", "people.json", ASKED, self.scale.seed)
        self.steps.command(
            "export", "annotate", "export", "project", "-o", "drawn/rankings.jsonl", "--overwrite"
        )

    def learn(self) -> dict[str, Any]:
        """A model is trained on the answers; how well it and the demo scorer predict those about other prompts."""
        parted = "drawn/parted.jsonl"
        shares = ("--test", "30", "--validation", "15", "--seed", str(self.scale.seed), "--overwrite")
        self.steps.command("split", "rankings", "split", "drawn/rankings.jsonl", "-o", parted, *shares)
        course = (
            "--epochs",
            str(self.scale.epochs),
            "--learning-rate",
            "1e-4",
            "--batch-pairs",
            "64",
            "--freeze",
            "0",
        )
        named = (
            "-o",
            "models",
            "--name",
            MINE,
            "--start",
            "demo",
            "--no-tensorboard",
            "--resume",
            *self.device,
        )
        self.steps.command("train", "train", parted, *named, *course)
        compared = ("--scorer", MINE, "--also", "demo", "--split", "test", "-f", "json")
        return json.loads(self.steps.command("evaluate", "evaluate", parted, *compared, *self.mine))

    def tune(self) -> dict[str, Any]:
        """The generator is moved towards what the model likes."""
        scale = self.scale
        course = ("--updates", str(scale.updates), "--batch", str(scale.batch), *COURSE.split())
        checks = ("--check-every", str(max(1, scale.updates // 12)), "--preview-steps", str(scale.steps))
        named = ("--prompts", "tuned.txt", "--scorer", MINE, "--also", "demo", "-o", "refl", "--name", LORA)
        small = (
            (
                "--previews",
                "2",
                "--denoising-pictures",
                "4",
                "--watch",
                "off",
                "--steps",
                "3",
                "--first",
                "1",
                "--last",
                "2",
            )
            if scale == SMALL
            else ()
        )
        told = self.steps.command(
            "refl",
            *(
                "refl",
                *self.model,
                *named,
                *course,
                *checks,
                *small,
                "--no-tensorboard",
                "--resume",
                "-f",
                "json",
            ),
            *self.mine,
            fine=(0, 1),  # 1: the guards stopped it, and the last good state is the result
        )
        return json.loads(told)

    def compare(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Before and after: what the scorers say, and what the panel says that sees neither names nor scores."""
        scorers = ("--scorer", MINE, "--also", "demo", *self.mine, "-f", "json")
        task = ("--export-task", "task", "--key", "task.key.json", "--overwrite")
        scored = self.steps.command(
            "compare", "compare-models", "before", "after", *scorers, *task, anew=self.folder / "task"
        )
        self.steps.blind("panel", "people.json", PANEL, "task", "answers.csv", self.scale.seed + 1)
        answered = ("--answers", "answers.csv", "--key", "task.key.json", "-f", "json")
        return json.loads(scored), json.loads(self.steps.command("count", "compare-models", *answered))

    def sheet(self) -> Path:
        """Pictures before and after with the panel's choices, for a person who looks."""
        key = read_key(self.folder / "task.key.json")
        with (self.folder / "answers.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        chosen: dict[str, dict[str, list[int]]] = {}
        for row in rows:
            chosen.setdefault(row["prompt"], {}).setdefault(row["image"], []).append(int(row["rank"]))
        pictures, captions = [], []
        for prompt, found in sorted(chosen.items())[:12]:
            both = sorted(found, key=lambda name: key.pictures[name].generator != "before")
            pictures.append([Image.open(self.folder / "task" / name).convert("RGB") for name in both])
            first = [sum(rank == 1 for rank in found[name]) for name in both]
            captions.append(
                [
                    f"{key.pictures[name].generator}: {number} of {len(PANEL)}. {prompt}"
                    for name, number in zip(both, first)
                ]
            )
        path = self.folder / "before-and-after.png"
        write_sheet(path, pictures, captions, side=144)
        return path

    def run(self) -> dict[str, Any]:
        """All steps that are not done, and what came of them."""
        self.prepare()
        self.draw("drawn", "asked.txt", self.scale.pictures, 1000)
        self.steps.command(
            "score", "score", "drawn", "-s", "demo", "-o", "demo.csv", "--overwrite", *self.device
        )
        self.ask()
        learnt = self.learn()
        tuned = self.tune()
        self.draw("before", "new.txt", 1, 500_000)
        self.draw("after", "new.txt", 1, 500_000, "--lora", f"refl/{LORA}.safetensors")
        scored, panel = self.compare()
        self.sheet()
        return self.record(learnt, tuned, scored, panel)

    def record(
        self, learnt: dict[str, Any], tuned: dict[str, Any], scored: dict[str, Any], panel: dict[str, Any]
    ) -> dict[str, Any]:
        """What is kept of the results."""
        rate = _rows(panel, "answers", "win rate", group="after")[0]
        return {
            "what": f"{len(ASKED)} simulated people answer about {self.scale.asked} prompts with {self.scale.pictures} pictures each; "
            f"{len(PANEL)} others compare {self.scale.panel} new prompts before and after",
            "scale": asdict(self.scale),
            "people": PEOPLE,
            "agreement_with_people": {
                row["scorer"]: _interval(row) for row in _rows(learnt, "accuracy", "pairs")
            },
            "model_above_demo": {
                **_interval(_rows(learnt, "differences", "difference")[0]),
                "p": _rows(learnt, "differences", "p")[0]["value"],
            },
            "tuning": {
                name: tuned[name] for name in ("update", "stopped", "before", "after", "diversity", "seconds")
            },
            "scores_of_new_prompts": [
                {"scorer": row["scorer"], "generator": row["group"], **_interval(row)}
                for row in _rows(scored, "scores", "mean")
            ],
            "panel_prefers_after": _interval(rate),
            "aim": 0.65,
            "reached": rate["value"] >= 0.65,
            "seconds": self.steps.seconds(),
            "commands": self.steps.lines(),
        }


def _rows(found: dict[str, Any], section: str, measure: str, **more: str) -> list[dict[str, Any]]:
    rows = [row for row in found["figures"] if (row["section"], row["measure"]) == (section, measure)]
    return [row for row in rows if all(row[name] == value for name, value in more.items())]


def _interval(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("value", "low", "high", "count")}


def main() -> None:
    """Runs the loop and writes the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--generator",
        type=Path,
        default=TRAINED,
        metavar="FILE",
        help="its checkpoint (default: the trained one)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("runs/loop"), metavar="DIR", help="(default: runs/loop)"
    )
    parser.add_argument(
        "--merges", type=Path, metavar="FILE", help="CLIP's merges.txt (default: of open_clip_torch)"
    )
    parser.add_argument("--device", default="auto", help="(default: auto)")
    parser.add_argument("--seed", type=int, default=0, help="of everything (default: 0)")
    parser.add_argument(
        "--small",
        action="store_true",
        help="as little as possible, to see whether it works; no record is kept",
    )
    args = parser.parse_args()
    if not args.generator.is_file():
        sys.exit(
            f"there is no {args.generator}; make the generator with 'nox -s train_generator', or name a checkpoint with --generator"
        )
    scale = SMALL if args.small else Scale(seed=args.seed)
    loop = Loop(args.output.absolute(), args.generator, scale, args.merges, args.device)
    found = loop.run()
    print(
        json.dumps(
            {name: found[name] for name in ("agreement_with_people", "tuning", "panel_prefers_after")},
            indent=1,
        )
    )
    save_results("loop", found, args.output if args.small else None)


if __name__ == "__main__":
    main()
