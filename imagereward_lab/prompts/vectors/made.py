"""Where vectors come from, as one thing: what they depend on, and how to make them from any place on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imagereward_core.cli.console import Console
from imagereward_core.weights.locate import WeightSettings

from ..sources.collected import Prompts
from .given import given_vectors
from .minilm import load_minilm
from .sentence_folder import load_folder
from .sentences import encoded


@dataclass(frozen=True)
class Maker:
    """Makes vectors of length 1.

    Attributes:
        name: Of the network or the file, for people.
        facts: All that the vectors depend on.
        width: How many numbers a vector has.
        make: Gives them from a place on, in order, some at a time: float32 [n, width].
    """

    name: str
    facts: Mapping[str, Any]
    width: int
    make: Callable[[int], Iterable[NDArray[np.float32]]]


def network_maker(
    folder: Path | None,
    settings: WeightSettings,
    console: Console,
    prompts: Prompts,
    device: torch.device,
    batch_size: int,
) -> Maker:
    """By a network for sentences: the one in a folder, or all-MiniLM-L6-v2, which is fetched where it is missing.

    Raises:
        SelectionError: The folder holds no such network.
        WeightsError: The weights are nowhere and may not be fetched, or damaged.
    """
    if folder is None:
        with console.bytes() as progress:
            sentences = load_minilm(settings, progress)
    else:
        sentences = load_folder(folder)
    return Maker(
        sentences.name,
        {"prompts": prompts.digest, "model": sentences.label},
        sentences.width,
        lambda begin: encoded(sentences, prompts, begin, device, batch_size),
    )


def given_maker(path: Path, prompts: Prompts, column: str) -> Maker:
    """By a file that another program made; errors as of :func:`.given.given_vectors`."""
    given = given_vectors(path, prompts, column)
    index = hashlib.sha256(given.index.astype("<i8").tobytes()).hexdigest()
    return Maker(str(path), {"rows": index, "vectors": given.label}, given.width, given.rows)
