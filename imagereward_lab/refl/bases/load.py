"""Models read from what people have: a single file, or a folder of diffusers."""

from __future__ import annotations

from pathlib import Path

import torch

from ...training.errors import TrainingError
from .base import Base
from .folder import INDEX, load_folder
from .schedule import Prediction
from .single.load import check_single, load_single

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Precisions by their names in options."""


def load_base(
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    prediction: Prediction | None = None,
    merges: Path | None = None,
) -> Base:
    """The model in a file or folder, frozen, on ``device``.

    Args:
        path: A checkpoint of one file, or a folder of diffusers with its ``model_index.json``.
        device: Where it goes.
        dtype: Precision of its weights. Autoencoders that fp16 breaks stay in float32.
        prediction: What its denoiser gives, where files do not say it or say it wrongly.
        merges: CLIP's ``merges.txt``, which single files lack; by default that of the package ``open_clip_torch``.

    Raises:
        TrainingError: It is of no known kind, or a part is missing, damaged or of unknown sizes.
    """
    check_base(path, merges)
    if path.is_dir():
        return load_folder(path, dtype, prediction).to(device)
    return load_single(path, dtype, prediction, merges).to(device)


def check_base(path: Path, merges: Path | None = None) -> None:
    """Refuses in a moment, before scorers are fetched and gigabytes are read, what :func:`load_base` could not use.

    Raises:
        TrainingError: A package is missing, the model is of no known kind, or what prompts are read with is missing.
    """
    try:
        import diffusers  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"tuning a model to a reward needs diffusers and peft, and one cannot be imported ({error}). Install them into this Python "
            'with: pip install "imagereward-curator[refl]"'
        ) from error
    if path.is_dir():
        if not (path / INDEX).is_file():
            raise TrainingError(
                f"{path} is a folder without {INDEX}; expected a folder of diffusers, or the path of one checkpoint in it"
            )
    elif path.is_file():
        check_single(path, merges)
    else:
        raise TrainingError(
            f"there is no {path}; expected a checkpoint (.safetensors) or a folder of diffusers"
        )
