"""Trains the embedded demo model: ``python -m imagereward_lab.demo_model.train``.

The recipe is the paper's (pairwise loss over all pairs of a ranking, ties excluded, Adam without decay, cosine learning rate, best
validation loss kept); the network is the same code at a small size. Where the paper starts from BLIP, the image tower here first
learns to name what is drawn, and then both towers learn which words of a prompt a picture contradicts. Everything follows
from the seeds, up to the rounding of the machine. ``docs/accuracy.md`` has the commands the embedded model was made with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.metrics.preference import preferred_pairs
from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig, VisionConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.tokenizers.bert import PromptEncoder, pad_ids
from imagereward_core.weights.bundled import FACTS_FILE, MODEL_FOLDER
from imagereward_core.weights.checkpoint import load_into

from ..training.initialise import initialise
from ..training.trainer import TrainingConfig, train
from .dataset import MATCH, Encode, Families, HeldOutGroup, held_out_group
from .grounding import ground
from .pretrain import pretrain
from .vocabulary import vocabulary

SPEC = ImageSpec(size=64)
TOKEN_LIMIT = 35


def demo_config(words: int) -> RewardConfig:
    """The demo network: ImageReward's shape at 1.4 million parameters."""
    return RewardConfig(
        vision=VisionConfig(
            image_size=64, patch_size=8, width=128, depth=4, heads=4, mlp_width=384, drop_path=0.0
        ),
        text=TextConfig(
            vocab_size=words + 2, positions=64, width=128, depth=3, heads=4, mlp_width=384, dropout=0.0
        ),
        head=HeadConfig(widths=(128, 64, 32, 16), dropouts=(0.0, 0.0, 0.0), mean=0.0, std=1.0),
        projection=0,
    )


def raw_rewards(network: RewardNetwork, encoder: PromptEncoder, group: HeldOutGroup) -> Tensor:
    """Raw rewards float32 [K] of one held-out group."""
    ids, mask = pad_ids([encoder(group.prompt).ids])
    with torch.no_grad():
        image = network.encode_images(normalize(group.pixels, SPEC))
        number = image.shape[0]
        return network.mlp(network.text_states(ids.expand(number, -1), mask.expand(number, -1), image))[:, 0]


def main(arguments: list[str] | None = None) -> None:
    """Draws the data, trains, measures on held-out groups, and writes the model, its vocabulary and its facts."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    vocabulary_file = options.output / "vocab.txt"
    vocabulary_file.write_text("\n".join(words) + "\n", encoding="utf-8", newline="\n")
    encoder = PromptEncoder(vocabulary_file, TOKEN_LIMIT)

    def encode(prompt: str) -> tuple[int, ...]:
        return encoder(prompt).ids

    def say(line: str) -> None:
        print(line, flush=True)

    say(f"drawing {options.families} families of scenes ...")
    training = Families(
        options.families, options.batch, SPEC, encode, seed=options.seed, place_weight=options.place_weight
    )
    validation = Families(128, 32, SPEC, encode, seed=options.seed + 1, held_out=True)
    network = RewardNetwork(demo_config(len(words)))
    if options.start is None:
        initialise(network, options.seed)
        named = pretrain(
            network.blip.visual_encoder, SPEC, options.seed, steps=options.naming_steps, report=say
        )
        earlier: list[dict[str, Any]] = [
            {"stage": "naming", "seed": options.seed, "steps": options.naming_steps, "named": round(named, 4)}
        ]
    else:
        load_into(network, options.start / "demo.safetensors", dtype_of=lambda _: torch.float32)
        earlier = json.loads((options.start / FACTS_FILE.name).read_text(encoding="utf-8"))["training"]
    if options.grounding_steps:
        earlier.append(_ground(network, encode, options, say))
    config = TrainingConfig(
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        warmup=0.03,
        validations_per_epoch=4,
        clip_norm=1.0,
    )
    started = time.strftime("%Y-%m-%d")
    record = train(network, training, validation, SPEC, config, report=say)

    # Stored in half precision to keep the repository small; what is measured is what is stored.
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    )
    held_out = measure(
        (held_out_group(options.seed + number, SPEC) for number in range(options.held_out)),
        lambda group: raw_rewards(network, encoder, group),
    )
    config_data = demo_config(len(words)).to_dict()
    config_data["head"]["mean"], config_data["head"]["std"] = (
        held_out.pop("raw_mean"),
        held_out.pop("raw_std"),
    )
    from safetensors.torch import save_file

    checkpoint = options.output / "demo.safetensors"
    save_file(state, checkpoint, metadata={"format": "pt"})
    facts = {
        "config": config_data,
        "image_size": SPEC.size,
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "size": checkpoint.stat().st_size,
        "held_out": held_out,
        "training": [
            *earlier,
            {
                "stage": "ranking",
                "seed": options.seed,
                "families": options.families,
                "batch_families": options.batch,
                "epochs": options.epochs,
                "place_weight": options.place_weight,
                "learning_rate": options.learning_rate,
                "date": started,
                "seconds": round(record.seconds),
                "torch": torch.__version__,
                "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
                "steps": record.steps,
                "training_loss": [round(value, 4) for value in record.training_loss],
                "validation_loss": [round(value, 4) for value in record.validation_loss],
                "validation_accuracy": [round(value, 4) for value in record.validation_accuracy],
            },
        ],
    }
    (options.output / FACTS_FILE.name).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"held-out accuracy {100 * held_out['accuracy']:.2f} % over {held_out['pairs']} pairs")
    for kind, row in held_out["by_kind"].items():
        print(f"  {kind:20s} {100 * row['accuracy']:6.2f} %  of {row['pairs']}")


def _ground(
    network: RewardNetwork, encode: Encode, options: argparse.Namespace, say: Callable[[str], None]
) -> dict[str, Any]:
    """Grounds both towers, and returns what is to be recorded about it."""
    seed = options.seed if options.grounding_seed is None else options.grounding_seed
    settings = {
        "scenes": options.grounding_scenes,
        "steps": options.grounding_steps,
        "learning_rate": options.grounding_rate,
        "place_weight": options.grounding_place_weight,
    }
    judged = ground(network, SPEC, encode, seed, report=say, **settings)
    return {"stage": "grounding", "seed": seed, **settings, "prompts_judged_rightly": round(judged, 4)}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train the embedded demo model on drawn scenes (about half an hour on two cores)."
    )
    parser.add_argument("--output", type=Path, default=MODEL_FOLDER, help="folder to write to")
    parser.add_argument("--families", type=int, default=6000, help="families of scenes to draw")
    parser.add_argument("--batch", type=int, default=16, help="families per step")
    parser.add_argument(
        "--place-weight", type=int, default=2, help="how often near misses are wrong in place; colour has 1"
    )
    parser.add_argument("--epochs", type=int, default=6, help="passes over the families")
    parser.add_argument("--learning-rate", type=float, default=6e-4, help="largest learning rate")
    parser.add_argument("--held-out", type=int, default=1000, help="held-out groups to measure on")
    parser.add_argument("--seed", type=int, default=0, help="everything follows from it")
    parser.add_argument(
        "--start", type=Path, help="folder of a model to go on from, instead of random weights and naming"
    )
    parser.add_argument(
        "--naming-steps",
        type=int,
        default=1200,
        help="steps of teaching the image tower to name what is drawn",
    )
    grounding = parser.add_argument_group("grounding (telling which words of a prompt are wrong)")
    grounding.add_argument("--grounding-steps", type=int, default=2000, help="0 leaves it out")
    grounding.add_argument("--grounding-scenes", type=int, default=8000, help="scenes to draw for it")
    grounding.add_argument("--grounding-rate", type=float, default=5e-4, help="largest learning rate")
    grounding.add_argument("--grounding-seed", type=int, help="by default that of --seed")
    grounding.add_argument(
        "--grounding-place-weight", type=int, default=3, help="as --place-weight, for wrong prompts"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()


def kind_of_pair(better_rank: int, worse_kind: str) -> str:
    """Name of a pair: what is the matter with the worse picture when the better one is the match, else "one fault over two"."""
    return worse_kind if better_rank == MATCH else "one fault over two"


def measure(groups: Iterable[HeldOutGroup], rewards_of: Callable[[HeldOutGroup], Tensor]) -> dict[str, Any]:
    """Preference accuracy over all strict pairs of held-out groups, in all and by kind, and the distribution of the scores.

    A predicted tie counts as wrong (the reference's test.py). Scores in the result are normalised to mean 0 and standard
    deviation 1 over all pictures measured; ``raw_mean`` and ``raw_std`` are what they were normalised with.
    """
    right: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    values: list[float] = []
    number = 0
    for group in groups:
        rewards = [float(value) for value in rewards_of(group)]
        values += rewards
        number += 1
        for better, worse in preferred_pairs(group.ranks):
            kind = kind_of_pair(group.ranks[better], group.kinds[worse])
            total[kind] += 1
            right[kind] += rewards[better] > rewards[worse]
    scores = np.asarray(values)
    mean, std = float(scores.mean()), float(scores.std())
    quantiles = np.quantile((scores - mean) / std, np.linspace(0.0, 1.0, 41))
    return {
        "prompts": number,
        "pairs": sum(total.values()),
        "accuracy": sum(right.values()) / sum(total.values()),
        "by_kind": {
            kind: {"accuracy": right[kind] / total[kind], "pairs": total[kind]} for kind in sorted(total)
        },
        "scores": {"mean": 0.0, "std": 1.0, "quantiles": [round(float(value), 5) for value in quantiles]},
        "raw_mean": mean,
        "raw_std": std,
    }
