"""The generator in files: after each stage in float32, and at the end as the checkpoint that hosts load."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from imagereward_core.weights.checkpoint import write_state

from ..training.errors import TrainingError
from .layout import from_checkpoint, to_checkpoint
from .networks import Generator, GeneratorConfig

MODEL, FACTS = "generator.safetensors", "facts.json"
_STAGE = "stage.safetensors"


def open_generator(folder: Path) -> Generator:
    """The generator in a folder with its checkpoint and its facts, in float32 on the processor.

    Raises:
        TrainingError: A file is missing, or is not what training has written.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        config = GeneratorConfig.from_dict(facts["config"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{folder / FACTS} cannot be read ({error}); expected the file that training writes beside {MODEL}"
        ) from error
    generator = Generator(config)
    _fill(generator, folder / MODEL)
    return generator


def save_stage(generator: Generator, folder: Path) -> None:
    """Writes the generator as it is after a stage."""
    write_state(folder / _STAGE, to_checkpoint(generator), {"format": "pt"})


def load_stage(generator: Generator, folder: Path) -> None:
    """Fills the generator as it was after a stage.

    Raises:
        TrainingError: The file is missing or damaged.
    """
    _fill(generator, folder / _STAGE)


def _fill(generator: Generator, path: Path) -> None:
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}); expected the file that training wrote there"
        ) from error
    from_checkpoint(generator, state)
