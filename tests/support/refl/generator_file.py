"""The tiny generator's checkpoint for hosts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from imagereward_core.weights.checkpoint import write_state
from imagereward_lab.generator import networks
from imagereward_lab.generator.layout import to_checkpoint
from imagereward_lab.generator.networks import Generator, GeneratorConfig
from imagereward_lab.generator.stored import FACTS, MODEL, open_generator
from tests.support.oracles import import_torchvision

TRAINED = Path(networks.__file__).parent / "model"
"""Where the trained one lies."""


def generator() -> Generator:
    """The trained one; where it is not there, one of its size with random numbers, whose pictures are coloured noise."""
    import_torchvision()
    pytest.importorskip("diffusers")
    if (TRAINED / MODEL).is_file():
        return open_generator(TRAINED)
    made = Generator(seed=1)
    numbers = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, each in made.named_parameters():
            if each.ndim > 1:  # of ordinary size, so that every prompt and seed gives another picture
                inputs = each.shape[1] if "embedding" in name else each[0].numel()
                each.copy_(torch.randn(each.shape, generator=numbers) * inputs**-0.5)
    return made.half().float()


def place_checkpoint(path: Path) -> GeneratorConfig:
    """Its sizes, after its checkpoint, in half precision, was put at ``path``; the trained one's needs no diffusers for that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if (TRAINED / MODEL).is_file():
        shutil.copyfile(TRAINED / MODEL, path)
        return GeneratorConfig.from_dict(json.loads((TRAINED / FACTS).read_text(encoding="utf-8"))["config"])
    made = generator()
    state = to_checkpoint(made)
    stored = {name: each.half() if each.is_floating_point() else each for name, each in state.items()}
    write_state(path, stored, {"format": "pt"})
    return made.config
