"""How many pictures a second each scorer manages, and what scoring with several in one pass saves over one after another.

Run as ``python -m benchmarks.scorer_speed``. Networks have their published sizes and random weights, made in memory. Every round
measures all variants in turn; the ratio to ImageReward, or of one pass to one after another, is taken within a round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from imagereward_core.runtime import LocalRuntime, Precision
from imagereward_core.scorers.engine import PictureScorer, score_together
from imagereward_core.scorers.factory import Maker, skeleton_of
from imagereward_core.scorers.family import network_of
from imagereward_core.weights.cards import CARDS
from imagereward_core.weights.locate import FoundWeights, WeightSettings

from .pictures import PROMPTS, scene
from .published_weights import write_vocabulary
from .random_weights import ensure_random_checkpoint
from .scorers import make_scorer, save_results

PROMPT = PROMPTS["usual"]
TOGETHER = ("ImageReward-v1.0", "CLIP", "Aesthetic", "BLIP")


class RandomMaker(Maker):
    """Makes scorers of published size whose weights are random numbers."""

    def __init__(self, folder: Path, precision: Precision, device: str) -> None:
        super().__init__(LocalRuntime(device, precision), WeightSettings(allow_download=False))
        self.folder, self.precision, self.device = folder, precision, device

    def make_random(self, name: str) -> PictureScorer:
        """The scorer ``name``; ImageReward's random weights come from the file the other benchmarks use."""
        checkpoint = ensure_random_checkpoint()
        if name == TOGETHER[0]:
            return make_scorer(checkpoint, self.precision, self.device)
        card = CARDS[name]
        vocabularies = {
            "vocab.txt": checkpoint.with_name("vocab.txt"),
            "merges.txt": self.folder / "merges.txt",
        }
        found = FoundWeights(
            self.folder / card.folder,
            vocabularies[card.tokenizer.name] if card.tokenizer else None,
            revision="random",
            backbone=FoundWeights(self.folder / card.backbone, None) if card.backbone else None,
        )
        return self._build(card, found)

    def network(self, card: Any, found: FoundWeights) -> Any:
        """See :meth:`Maker.network`."""
        if found.checkpoint not in self._networks:
            kind = network_of(card.layout)
            self._networks[found.checkpoint] = randomised(
                skeleton_of(card), lambda name: kind.dtype(name, self.runtime.dtype)
            )
        return self._networks[found.checkpoint]


def randomised(network: nn.Module, dtype_of: Callable[[str], torch.dtype]) -> nn.Module:
    """A skeleton with small random weights in the dtypes asked for."""
    network = network.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.normal_(std=0.02)
            parameter.data = parameter.data.to(dtype_of(name))
    return network


def in_turn(timed: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every variant in every round; a first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - began)
        print(f"round {number} of {rounds}", flush=True)
    return seconds


def ratio(first: list[float], second: list[float]) -> dict[str, float]:
    """How many times as long ``first`` took as ``second``: median, least, most over rounds."""
    each = [a / b for a, b in zip(first, second)]
    return {
        "median": round(statistics.median(each), 3),
        "least": round(min(each), 3),
        "most": round(max(each), 3),
    }


def main() -> None:
    """Measures and writes ``scorer_speed.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scorers", nargs="*", default=[name for name in CARDS if name != "demo"])
    options = parser.parse_args()
    pictures = [scene(512, 512, number) for number in range(options.pictures)]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        write_vocabulary(base)
        for name in options.scorers:
            if name == "ImageReward-v1.0":
                continue
            # ImageReward runs beside each, so that every ratio is taken within a round.
            pair = {
                each: RandomMaker(base, options.precision, options.device) for each in (TOGETHER[0], name)
            }
            made = {each: maker.make_random(each) for each, maker in pair.items()}
            seconds = in_turn(
                {each: lambda scorer=scorer: scorer.score(pictures, PROMPT) for each, scorer in made.items()},  # type: ignore[misc]
                options.rounds,
            )
            print(name, flush=True)
            figures[name] = {
                "pictures_per_second": round(len(pictures) / min(seconds[name]), 2),
                "imagereward_pictures_per_second": round(len(pictures) / min(seconds[TOGETHER[0]]), 2),
                "times_imagereward": ratio(seconds[TOGETHER[0]], seconds[name]),
            }
            del made, pair
        maker = RandomMaker(base, options.precision, options.device)
        scorers = [maker.make_random(name) for name in TOGETHER]
        seconds = in_turn(
            {
                "one after another": lambda: [scorer.score(pictures, PROMPT) for scorer in scorers],
                "in one pass": lambda: score_together(scorers, pictures, PROMPT),
            },
            options.rounds,
        )
    save_results(
        "scorer_speed",
        {
            "what": f"{len(pictures)} pictures of 512 x 512, one prompt, {options.precision}, {options.device}, {options.rounds} rounds, "
            "published sizes, random weights",
            "scorers": figures,
            "together": {
                "scorers": list(TOGETHER),
                "one_after_another_over_one_pass": ratio(
                    seconds["one after another"], seconds["in one pass"]
                ),
            },
        },
        options.output,
    )


if __name__ == "__main__":
    main()
