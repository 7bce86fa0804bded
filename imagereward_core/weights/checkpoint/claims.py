"""Examines a checkpoint as thoroughly as is possible without scoring a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch

from ..card import WeightsCard
from ..manifest import Progress, sha256_of, vouched_sha256
from .keymaps import keymap_of
from .layout import Mismatch, compare
from .reader import StateFile

_HEAD = re.compile(r"(?:^|\.)mlp\.layers\.(\d+)\.(weight|bias)$")
_SMALLEST_REACH = 1e-3


@dataclass(frozen=True)
class VerifyReport:
    """The findings about a checkpoint.

    Attributes:
        size: In bytes.
        sha256: Its checksum, computed afresh.
        expected_sha256: What the checksum should be, by the card or by the manifest beside the file; None
            where nobody says.
        mismatch: How names and shapes differ from the network's.
        non_finite: Tensors that hold NaN or infinity.
        head_untrained: Whether the reward head gives every picture the same score.
    """

    path: Path
    size: int
    sha256: str
    expected_sha256: str | None
    mismatch: Mismatch
    non_finite: tuple[str, ...]
    head_untrained: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence per fault; empty for a sound checkpoint."""
        found: list[str] = []
        if self.expected_sha256 is not None and self.sha256 != self.expected_sha256:
            found.append(
                f"its SHA-256 is {self.sha256}, expected {self.expected_sha256}: it is damaged or another "
                "file"
            )
        if not self.mismatch.fits:
            found.append(f"it does not fit the network: {self.mismatch.describe()}")
        if self.non_finite:
            found.append(
                f"{len(self.non_finite)} tensors hold NaN or infinity: {', '.join(self.non_finite[:5])}"
            )
        if self.head_untrained:
            found.append("its reward head is untrained or collapsed: every picture would get the same score")
        return tuple(found)

    @property
    def ok(self) -> bool:
        """Whether no fault was found."""
        return not self.problems


def verify(
    path: Path,
    card: WeightsCard,
    skeleton_layout: Mapping[str, tuple[torch.dtype, tuple[int, ...]]],
    optional: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> VerifyReport:
    """Reads all of a checkpoint that should belong to ``card``: checksum, names, shapes, finite numbers, a trained reward head.

    The network has the names, dtypes and shapes of ``skeleton_layout``, of which the ``optional`` ones may be absent. WeightsError where
    the file cannot be read as a checkpoint at all.
    """
    path = Path(path)
    file = StateFile(path, keymap_of(card))
    expected = vouched_sha256(path)  # before the checksum is computed, which may replace an outdated note
    checksum = sha256_of(path, progress, fresh=True)
    stated = next(
        (entry.sha256 for entry in card.checkpoint if entry.name == path.name and entry.sha256), None
    )
    non_finite: list[str] = []
    head: dict[str, torch.Tensor] = {}
    for name, tensor in file.chunks():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            non_finite.append(name)
        if _HEAD.search(name):
            head[name] = tensor.double()
    return VerifyReport(
        path=path,
        size=path.stat().st_size,
        sha256=checksum,
        expected_sha256=stated or expected,
        mismatch=compare(skeleton_layout, file.layout(), optional),
        non_finite=tuple(non_finite),
        head_untrained=head_is_untrained(head),
    )


def head_is_untrained(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether the reward head in ``state`` gives every picture the same score.

    The head (``mlp.layers.N.weight`` and ``.bias``) is a chain of affine layers without activations, so it
    folds into one vector. It starts with biases of exactly zero, which a training step does not leave so, and
    with weights so small (standard deviation 1/769, ImageReward.py, ``MLP``) that the folded vector nearly
    vanishes; a collapsed head (issue 45 of the reference) vanishes too. The text tower ends in a LayerNorm,
    so its output of width d is about sqrt(d) long and the score can move by about |vector| * sqrt(d). False
    where there is no such head.
    """
    layers: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in state.items():
        match = _HEAD.search(name)
        if match is not None:
            layers.setdefault(int(match[1]), {})[match[2]] = tensor.double()
    weights = [layers[index]["weight"] for index in sorted(layers) if "weight" in layers[index]]
    biases = [layer["bias"] for layer in layers.values() if "bias" in layer]
    if not weights or any(weight.dim() != 2 for weight in weights):
        return False
    if biases and all(not bool(bias.any()) for bias in biases):
        return True
    if any(later.shape[1] != earlier.shape[0] for earlier, later in pairwise(weights)):
        return False  # not a chain; its shapes differ from the network's, which is reported by itself
    folded = weights[0]
    for weight in weights[1:]:
        folded = weight @ folded
    width = int(folded.shape[1])
    reach: float = folded.norm().item() * width**0.5
    return reach < _SMALLEST_REACH
