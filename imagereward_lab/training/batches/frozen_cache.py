"""What the frozen lower layers of the image tower make of every picture, computed once and kept on disk.

One file for each picture, below a folder for its weights, depth and preprocessing, and named after the hash of its pixels: an entry is
there whole or not at all, and can never be taken for another's.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from imagereward_core.cli.refused import why_no_folder
from imagereward_core.files.regular import nearest_existing
from imagereward_core.images.preprocess import normalize
from imagereward_core.weights.checkpoint import write_state

from ..errors import TrainingError
from ..networks.freezing import Frozen
from ..trainee import Trainee
from ..validation import autocast
from .pictures import Picture

log = logging.getLogger("imagereward_core.training")

_NAME = "states"
_FORMAT = "imagereward-frozen-1"


class FrozenCache:
    """Hidden states by picture.

    Args:
        folder: Made if it is not there; may be shared by trainings, as every set of frozen weights has a folder of its own in it.
        trainee: The network.
        frozen: What is frozen of it.
        device: Of the network.
        precision: Of the training, by which rounding differs.
        keep: Whether anything new is kept.

    Raises:
        TrainingError: No whole layers of the image tower are frozen, or their dropout stays on, so that nothing could be kept.
    """

    def __init__(
        self,
        folder: Path,
        trainee: Trainee,
        frozen: Frozen,
        device: torch.device,
        precision: str = "fp32",
        keep: bool = True,
    ) -> None:
        if frozen.in_training_mode:
            raise TrainingError(
                "--freezing reference keeps dropout in frozen layers, so what they make of a picture differs every time and cannot be "
                "kept; leave out --cache-frozen, or freeze whole layers"
            )
        self.depth = frozen.depths.get("vision", 0)
        if not self.depth:
            raise TrainingError(
                "no layer of the image tower is frozen, so there is nothing to keep; leave out --cache-frozen, or freeze more"
            )
        self.trainee, self.device, self.precision = trainee, device, precision
        self._modules = frozen.modules
        self.folder = folder / self._key()[:24]
        self._full = not keep

    def bytes_each(self) -> int:
        """Size of the entry of one picture."""
        size = self.trainee.spec.size
        states = self._lower(torch.zeros(1, 3, size, size, dtype=torch.uint8))
        return states.numel() * states.element_size() + 200

    def check_room(self, pictures: int) -> int:
        """Bytes that a number of pictures needs.

        Raises:
            TrainingError: Nothing may be put there, or the disk has less, entries that are there already counted in.
        """
        needed = self.bytes_each() * pictures
        if reason := why_no_folder(self.folder):
            raise TrainingError(
                f"--cache-frozen {self.folder.parent}: {reason}; name another folder, or leave it out"
            )
        there = sum(each.stat().st_size for each in self.folder.glob("*/*.safetensors"))
        free = shutil.disk_usage(nearest_existing(self.folder)).free + there
        if free < needed:
            raise TrainingError(
                f"--cache-frozen needs {needed / 1e9:.1f} GB for {pictures:,} pictures, found {free / 1e9:.1f} GB free at {self.folder}; "
                "make room, name a folder on another disk, or leave it out"
            )
        return needed

    def read(self, digest: bytes) -> Tensor | None:
        """The states of the picture whose pixels have this hash; None where there are none, or they cannot be read."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self._path(digest)
        if not path.is_file():
            return None
        try:
            return load_file(path)[_NAME]
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            log.warning("%s is damaged and made anew: %s", path, error)
            return None

    def complete(self, pictures: Sequence[Picture]) -> Tensor:
        """States of pictures, [N, ...], on the CPU; those that are missing are computed, and kept."""
        missing = [each for each in pictures if each.states is None]
        made: dict[bytes, Tensor] = {}
        if missing:
            pixels = torch.stack([each.pixels for each in missing if each.pixels is not None])
            for each, states in zip(missing, self._lower(pixels).cpu()):
                made[each.digest] = states
                self._write(each.digest, states)
        return torch.stack(
            [each.states if each.states is not None else made[each.digest] for each in pictures]
        )

    def _lower(self, pixels: Tensor) -> Tensor:
        # Batches are made ahead of the step that would see to it; what is kept must never have dropout in it.
        for module in self._modules:
            module.eval()
        # As in a training step, where some kernels differ from those for scoring; frozen layers keep nothing for gradients.
        with torch.enable_grad(), autocast(self.device, self.precision):
            hidden = self.trainee.lower(normalize(pixels.to(self.device), self.trainee.spec), self.depth)
        return hidden.detach()

    def _write(self, digest: bytes, states: Tensor) -> None:
        if self._full:
            return
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_state(path, {_NAME: states}, {"format": "pt"})
        except OSError as error:
            self._full = True
            log.warning(
                "nothing more is kept of what frozen layers compute (%s); training goes on, more slowly",
                error,
            )

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / name[:2] / f"{name}.safetensors"

    def _key(self) -> str:
        tower = next(each for each in self.trainee.towers if each.name == "vision")
        digest = hashlib.sha256(
            f"{_FORMAT} {self.trainee.kind} {self.depth} {self.trainee.spec} {self.precision}".encode()
        )
        for part in (*tower.stem, *tower.layers[: self.depth]):
            tensors = part.state_dict() if isinstance(part, nn.Module) else {"": part}
            for name, tensor in tensors.items():
                digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
                digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
