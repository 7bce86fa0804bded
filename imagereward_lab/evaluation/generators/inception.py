"""The Inception network of FID, by torch-fidelity (an extra), with weights from a file; nothing is downloaded, and no file is executed."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from imagereward_core.cli.exits import NoScorerError
from imagereward_core.errors import WeightsError
from imagereward_core.files.regular import read_regular
from imagereward_core.weights.checkpoint.reader import StateFile

WIDTH = 2048
NAME = "weights-inception-2015-12-05-6726825d.pth"
ADDRESS = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
WHERE = f"the file {NAME}, to be had by hand from {ADDRESS} (96 MB)"
_MOST_BYTES = 2**30


def load_inception(weights: Path, device: torch.device) -> Inception:
    """The network with its weights.

    Raises:
        NoScorerError: torch-fidelity is not here, or the weights are no Inception network's.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except Exception as error:  # its torchvision may not fit torch, which shows in many ways
        raise NoScorerError(
            f"FID is computed with the package torch-fidelity, which cannot be loaded ({error}). Install it with: "
            "pip install 'imagereward-curator[fid]', or leave out --fid-reference"
        ) from error
    state = _state(weights)
    try:
        with tempfile.TemporaryDirectory(prefix="imagereward-") as folder:
            # The package executes what it finds in a file of weights, so it is given one that we have written.
            plain = Path(folder) / "inception.pt"
            torch.save(state, plain)
            network = FeatureExtractorInceptionV3(
                "inception", [str(WIDTH)], feature_extractor_weights_path=str(plain)
            )
    except RuntimeError as error:
        reason = str(error).strip().split("\n")[0]
        raise NoScorerError(f"{weights}: these weights do not fit ({reason}); expected {WHERE}") from error
    return Inception(network.to(device), device)


def _state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file: of the published one, which is of an old format, by its checksum; of others as any checkpoint's."""
    try:
        data = read_regular(path, _MOST_BYTES)
        if hashlib.sha256(data).hexdigest() == SHA256:
            state: dict[str, torch.Tensor] = torch.load(
                io.BytesIO(data), map_location="cpu", weights_only=True
            )
            return state
        return {name: tensor.clone() for name, tensor in StateFile(path).map().items()}
    except (OSError, ValueError, WeightsError) as error:
        raise NoScorerError(f"--fid-weights {path}: it cannot be used ({error}); expected {WHERE}") from error


class Inception:
    """Features of pictures.

    Args:
        network: Of torch-fidelity; takes uint8 [N, 3, H, W], which it shrinks or enlarges itself.
        device: Where it runs.
    """

    def __init__(self, network: Any, device: torch.device) -> None:
        self.network, self.device = network, device

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Features of RGB pictures of one size, float32 [N, 2048]."""
        pixels = np.stack([np.asarray(image, dtype=np.uint8) for image in images])
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device)
        with torch.inference_mode():
            (features,) = self.network(batch)
        return np.asarray(features.float().cpu().numpy())
