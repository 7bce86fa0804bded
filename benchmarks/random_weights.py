"""Full-size random weights with the reference's keys, made so that scores vary and an error anywhere shows in them.

Plain initialisation would not do: with unit LayerNorms, zero biases and flat attention every picture gets the same score. Here
LayerNorms and biases are random, queries and keys are large enough for attention to pick few tokens, and the head spreads the scores
to a standard deviation near 1, that of the published model. No score made with these weights means anything.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from imagereward_core.nets.config import RewardConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.skeleton import build_skeleton

FILE_NAME = "ImageReward-random.pt"
SEED = 20230412

_PEAK = 1.5
# How much a linear layer enlarges its input, by the end of its name; 1 where none fits. Found by trial on the pictures and prompts of
# parity.py: queries and keys so that attention picks few tokens; the text tower's outputs so small that what the prompt says is not
# lost in 36 additions to a normalised stream; the last layer of the head so that the scores' standard deviation comes near 1.
_GAINS = (
    (".crossattention.self.query", 2.4),
    (".crossattention.self.key", 2.4),
    (".attention.self.query", _PEAK),
    (".attention.self.key", _PEAK),
    (".attention.output.dense", 0.6),
    (".output.dense", 0.3),
    (".mlp.layers.7", 3.4),
)
_HEAD_BIAS = -5.0  # takes away the mean of those scores


def random_state_dict(config: RewardConfig | None = None, seed: int = SEED) -> dict[str, Tensor]:
    """Random float32 tensors for every key of the network, the same for the same seed and configuration."""
    generator = torch.Generator().manual_seed(seed)
    layout = build_skeleton(lambda: RewardNetwork(config)).state_dict()
    return {name: _fill(name, tensor, generator) for name, tensor in layout.items()}


def _fill(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    if not like.is_floating_point():
        return torch.arange(like.shape[-1]).expand(like.shape).clone()
    values = torch.randn(like.shape, generator=generator)
    owner, _, kind = name.rpartition(".")
    if "norm" in owner.lower():
        return 1.0 + 0.25 * values if kind == "weight" else 0.2 * values
    if name == "mlp.layers.7.bias":
        return torch.full(like.shape, _HEAD_BIAS)
    if kind == "bias":
        return 0.1 * values
    if "embed" in name or name.endswith("cls_token"):  # positions, words, and the projection of patches
        return values * (0.05 if owner.endswith("proj") else 0.5)
    values *= _gain(owner) / math.sqrt(math.prod(like.shape[1:]))
    if owner.endswith(".qkv"):
        values[: 2 * len(values) // 3] *= _PEAK  # queries and keys, not values
    return values


def _gain(owner: str) -> float:
    return next((gain for ending, gain in _GAINS if f".{owner}".endswith(ending)), 1.0)


def ensure_random_checkpoint(folder: Path | None = None, seed: int = SEED) -> Path:
    """The random checkpoint as a ``.pt`` file like the released one, with the vocabulary beside it; made if it is not there.

    Args:
        folder: Where it lies; by default a folder in the system's temp directory.
        seed: Which weights.
    """
    from .reference import vocabulary_file

    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    if not path.is_file():
        unfinished = path.with_suffix(".unfinished")
        torch.save(random_state_dict(seed=seed), unfinished)
        unfinished.rename(path)
    vocabulary = folder / "vocab.txt"
    if not vocabulary.is_file():
        shutil.copyfile(vocabulary_file(), vocabulary)
    return path


def default_folder() -> Path:
    """A folder in the system's temp directory; about 4.5 GB go into it."""
    return Path(tempfile.gettempdir()) / "imagereward-benchmark-random"


def main() -> None:
    """Writes the file and says where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder for the random weights")
    print(ensure_random_checkpoint(parser.parse_args().cache))


if __name__ == "__main__":
    main()
