"""Models in diffusers' folders. Files of pickles are not read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...training.errors import TrainingError
from . import flux, sd3
from .base import Base, Parts
from .flux import Flux
from .schedule import Prediction
from .sd import StableDiffusion
from .sd3 import StableDiffusion3
from .sdxl import StableDiffusionXL
from .tokens import folder_tokens

INDEX = "model_index.json"
PIPELINES: dict[str, type[Base]] = {
    "StableDiffusionPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
    "StableDiffusion3Pipeline": StableDiffusion3,
    "FluxPipeline": Flux,
}
_TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")


def load_folder(path: Path, dtype: torch.dtype, prediction: Prediction | None = None) -> Base:
    """The model in one of diffusers' folders, on the processor.

    Raises:
        TrainingError: It is of an unknown kind, or a part is missing, damaged or stored as pickles alone.
    """
    index = _json(path / INDEX)
    name = index.get("_class_name")
    kind = PIPELINES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise TrainingError(
            f"{path / INDEX} says _class_name {name!r}; expected one of {', '.join(PIPELINES)}"
        )
    scheduler = _json(path / "scheduler" / "scheduler_config.json")
    names = [each for each in _TEXT if _is_listed(index, each)]
    for each in kind.needed_encoders:
        if each not in names:
            raise TrainingError(
                f"{path / INDEX} names no {each}; expected one, which reads prompts for this kind of model"
            )
    classes = _classes(index, path, names)
    encoders = {each: _part(path, each, classes[each], dtype) for each in names}
    lengths = {each: _length(kind, each, path / kind.denoiser_folder) for each in names}
    made = kind(
        Parts(
            denoiser=_part(path, kind.denoiser_folder, kind.denoiser_class, dtype),
            vae=_part(path, "vae", "AutoencoderKL", kind.vae_dtype(dtype)),
            text_encoders=encoders,
            tokens={
                each: folder_tokens(path / each.replace("text_encoder", "tokenizer"), lengths[each])
                for each in names
            },
            prediction=prediction or _prediction(kind, scheduler, path),
            scheduler=scheduler,
            path=path,
        )
    )
    made.check_channels()
    return made


def _prediction(kind: type[Base], scheduler: Mapping[str, Any], path: Path) -> Prediction:
    if kind.denoiser_folder != "unet":
        return "flow"
    told = scheduler.get("prediction_type", "epsilon")
    if told == "epsilon" or told == "v_prediction":
        found: Prediction = told
        return found
    raise TrainingError(
        f"the scheduler of {path} says prediction_type {told!r}; expected epsilon or v_prediction"
    )


def _is_listed(index: Mapping[str, Any], name: str) -> bool:
    """Whether a folder is to have a part; one that is left out is null in the index."""
    listed = index.get(name)
    return isinstance(listed, list) and len(listed) == 2 and listed[1] is not None


def _classes(index: Mapping[str, Any], path: Path, names: list[str]) -> dict[str, str]:
    """The class of each text encoder, which is one of transformers' for CLIP or T5."""
    known = {"CLIPTextModel", "CLIPTextModelWithProjection", "T5EncoderModel"}
    found = {name: str(index[name][1]) for name in names}
    for name, each in found.items():
        if each not in known:
            raise TrainingError(
                f"{path / INDEX} says that {name} is a {each}; expected one of {', '.join(sorted(known))}"
            )
    return found


def _length(kind: type[Base], name: str, denoiser: Path) -> int:
    """Ids of a prompt."""
    if kind is StableDiffusion3 and name == "text_encoder_3":
        return sd3.TOKENS
    if kind is Flux and name == "text_encoder_2":
        return flux.tokens_of(bool(_json(denoiser / "config.json").get("guidance_embeds")))
    return 77


def _part(path: Path, name: str, class_name: str, dtype: torch.dtype) -> Any:
    import diffusers
    import transformers

    owner: Any = transformers if name.startswith("text_encoder") else diffusers
    folder = path / name
    if not folder.is_dir():
        raise TrainingError(
            f"{path} has no folder {name}, which {INDEX} promises; fetch the folder again, with all its files"
        )
    own = list(folder.glob("*.safetensors"))
    if not own:
        kept = ", ".join(sorted(each.name for each in folder.iterdir())[:6]) or "nothing"
        raise TrainingError(
            f"{folder} has no .safetensors ({kept}); expected the weights as safetensors. Files of pickles are not read, since they can "
            "run programs; fetch the folder's safetensors"
        )
    variant = "fp16" if all(".fp16" in each.name for each in own) else None
    with quiet():
        try:
            return getattr(owner, class_name).from_pretrained(
                str(folder),
                torch_dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                variant=variant,
            )
        except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
            raise TrainingError(
                f"{folder} cannot be read as a {class_name} ({type(error).__name__}: {error}); expected what diffusers writes"
            ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without bars of progress and remarks of the libraries about what a person cannot change."""
    from transformers.utils import logging as bars

    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels):
            each.setLevel(level)
        if shown:
            bars.enable_progress_bar()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}); expected that file of a folder of diffusers"
        ) from error
    if not isinstance(found, dict):
        raise TrainingError(f"{path} holds a {type(found).__name__}; expected names with values")
    return found
