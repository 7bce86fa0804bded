"""Makes the demo model anew: ``python -m imagereward_lab.demo_model.train``, which ``nox -s train_demo`` runs.

The recipe is the paper's (pairwise loss over all pairs of a ranking, Adam without decay, cosine learning rate, best validation loss
kept), by ``imagereward train``; the network is the same code at a small size. Where the paper starts from BLIP, the image tower first
learns to name what is drawn, and both towers learn which words of a prompt a picture contradicts. Everything follows from the seeds, up
to the rounding of the machine. Killed at any time, the same command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from imagereward_core.errors import CuratorError
from imagereward_core.files.whole import written_whole
from imagereward_core.nets.config import RewardConfig
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_core.weights.bundled import FACTS_FILE, MODEL_FOLDER
from imagereward_core.weights.checkpoint import write_state

from ..training.state.checkpoints import CheckpointFolder
from .dataset import held_out_group
from .measure import measure
from .schedule import SCHEDULE, Schedule, demo_config
from .stages import SPEC, TOKEN_LIMIT, Course, Say, opened, raw_rewards, write_json
from .vocabulary import vocabulary

MODEL, WORDS = "demo.safetensors", "vocab.txt"
GOAL, GOAL_BY_KIND = 0.965, 0.93
HELD_OUT_SEED = 200
"""Of the groups that the embedded model was measured on too."""


def make(
    output: Path, schedule: Schedule = SCHEDULE, config: RewardConfig | None = None, say: Say = print
) -> dict[str, Any]:
    """Runs what is left of the schedule, measures the result, and writes it into ``output / "model"``; returns its facts.

    Args:
        output: The folder of the whole course.
        schedule: The stages.
        config: The network's sizes; None for the demo's own.
        say: Told what goes on.

    Raises:
        TrainingError: See :meth:`.stages.Course.run`.
        WeightsError: Another program works in the folder.
    """
    sizes = config or demo_config()
    with CheckpointFolder(output).held():
        last, stages = Course(output, schedule, sizes, say).run()
        return _finish(last, output / "model", schedule, sizes, stages)


def _finish(
    last: Path, folder: Path, schedule: Schedule, config: RewardConfig, stages: list[dict[str, Any]]
) -> dict[str, Any]:
    """Rounds the weights to half precision, to keep the repository small, and measures what is stored."""
    network = opened(last)
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    )
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / WORDS) as temporary:
        temporary.write_text("\n".join(vocabulary()) + "\n", encoding="utf-8", newline="\n")
    encoder = PromptEncoder(folder / WORDS, TOKEN_LIMIT)
    held_out = measure(
        (held_out_group(HELD_OUT_SEED + number, SPEC) for number in range(schedule.held_out)),
        lambda group: raw_rewards(network, encoder, group),
    )
    sizes = config.to_dict()
    sizes["head"]["mean"], sizes["head"]["std"] = held_out.pop("raw_mean"), held_out.pop("raw_std")
    write_state(folder / MODEL, {name: value.contiguous() for name, value in state.items()}, {"format": "pt"})
    data = (folder / MODEL).read_bytes()
    facts = {
        "config": sizes,
        "image_size": SPEC.size,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "held_out": held_out,
        "training": stages,
    }
    write_json(folder / FACTS_FILE.name, facts)
    return facts


def reaches_goal(facts: dict[str, Any]) -> bool:
    """Whether a model orders 96.5 % of all held-out pairs rightly, and 93 % of every kind."""
    held_out = facts["held_out"]
    by_kind = [row["accuracy"] for row in held_out["by_kind"].values()]
    return bool(held_out["accuracy"] >= GOAL and min(by_kind) >= GOAL_BY_KIND)


def is_better(facts: dict[str, Any], embedded: dict[str, Any]) -> bool:
    """Whether a model should take the place of another: it reaches the goal, and orders more of the same pairs rightly."""
    ours, theirs = facts["held_out"], embedded["held_out"]
    return reaches_goal(facts) and ours["pairs"] >= theirs["pairs"] and ours["accuracy"] > theirs["accuracy"]


def embed(model: Path, target: Path = MODEL_FOLDER) -> None:
    """Puts a model in the place of the embedded one, its facts last."""
    for name in (WORDS, MODEL, FACTS_FILE.name):
        with written_whole(target / name) as temporary:
            shutil.copyfile(model / name, temporary)


def main(arguments: list[str] | None = None, schedule: Schedule = SCHEDULE) -> int:
    """Makes the model, tells how good it is, and asks before a better one takes the embedded one's place.

    Returns 0 where it reaches the goal, 1 where it does not, 4 where it could not be made.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/demo"),
        help="folder to work in; the same one goes on after a kill",
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="part of all data and steps, to see it run (0.01: minutes)"
    )
    options = parser.parse_args(arguments)
    chosen = schedule if options.share == 1.0 else schedule.scaled(options.share)
    try:
        facts = make(options.output, chosen, say=lambda line: print(line, flush=True))
    except CuratorError as error:
        print(error, file=sys.stderr)
        return 4
    held_out, embedded = facts["held_out"], json.loads(FACTS_FILE.read_text(encoding="utf-8"))
    print(f"held-out accuracy {100 * held_out['accuracy']:.2f} % over {held_out['pairs']} pairs")
    for kind, row in held_out["by_kind"].items():
        print(f"  {kind:20s} {100 * row['accuracy']:6.2f} %  of {row['pairs']}")
    model = options.output / "model"
    if not is_better(facts, embedded):
        earlier = 100 * embedded["held_out"]["accuracy"]
        print(
            f"The embedded model ({earlier:.2f} %) stays: this one is no better, or misses the goal ({100 * GOAL} % of all, "
            f"{100 * GOAL_BY_KIND:.0f} % of every kind)."
        )
        return 0 if reaches_goal(facts) else 1
    if sys.stdin.isatty() and input(f"Put it in the place of {MODEL_FOLDER}? [y/N] ").strip().lower() == "y":
        embed(model)
        print("It is the embedded model now.")
    else:
        print(
            f"It is better than the embedded model, which stays. To use it, copy {model} over {MODEL_FOLDER}."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
