"""Models of one file, put together."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ....generator.prompts import MERGES, merges_in
from ....training.errors import TrainingError
from .. import sd3
from ..base import Base, Parts
from ..courses import STABLE_DIFFUSION
from ..flux import Flux, tokens_of
from ..schedule import Prediction
from ..sd import StableDiffusion
from ..sd3 import StableDiffusion3
from ..sdxl import StableDiffusionXL
from ..tokens import Tokens, clip_tokens, json_tokens
from .flux import load_flux
from .layout import UNET, Stored, kind_of
from .sd3 import load_sd3
from .text import load_clip, load_open_clip, load_t5
from .unet import load_unet
from .vae import load_vae

FACTS = "facts.json"
"""Beside a generator of ours: sizes that no shape tells."""
TOKENIZER = "tokenizer.json"
"""Beside a file with T5: its tokenizer."""
_CLIP = "cond_stage_model.transformer."
_OPEN_CLIP = "cond_stage_model.model."
_CLIP_TOKENS = 49_408
"""Of CLIP's vocabulary. A text encoder may know some more: models that were taught words of their own."""
_XL = "conditioner.embedders."
_ENCODER = "text_encoders.{}.transformer."
"""Of flow models, as ComfyUI saves them."""
_SCALED = ("scale_weight", "scale_input", "weight_scale", "input_scale", "scaled_fp8", "comfy_quant")
"""Last words of tensors of quantised files, as ComfyUI reads them."""
_FLUX_VAE = "vae."
_DEV = {"shift": 3.0, "use_dynamic_shifting": True}
_SCHNELL = {"shift": 1.0}
"""Courses of noise of Flux.1, by the published folders."""
_WHERE_T5 = f"ComfyUI has it as comfy/text_encoders/t5_tokenizer/{TOKENIZER}"


def load_single(
    path: Path,
    dtype: torch.dtype,
    prediction: Prediction | None = None,
    merges: Path | None = None,
) -> Base:
    """The model in a file, on the processor.

    Raises:
        TrainingError: It is of no known kind, or a part is missing, damaged or of unknown sizes.
    """
    stored = Stored(path)
    kind = _usable(stored)
    made: Base
    if kind == "flux":
        made = _flux(stored, dtype, merges)
    elif kind == "sd3":
        made = _sd3(stored, dtype, merges)
    elif kind == "sd":
        made = _sd(stored, dtype, prediction, merges)
    else:
        made = _sdxl(stored, dtype, prediction, merges)
    made.check_channels()
    return made


def check_single(path: Path, merges: Path | None = None) -> None:
    """Refuses in a moment what :func:`load_single` would refuse after much else was loaded.

    Raises:
        TrainingError: The file is of no known kind, or what prompts are read with is missing.
    """
    _usable(Stored(path))
    with _merges(path, merges) as found:
        clip_tokens(found)


def _usable(stored: Stored) -> str:
    """The kind of the model in a file; raises where it is none that can be used."""
    kind = kind_of(stored)
    scaled = next((name for name in stored.shapes if name.rpartition(".")[2] in _SCALED), None)
    if scaled is not None:
        raise TrainingError(
            f"{stored.path} is quantised: its numbers are to be multiplied by others ({scaled}), which is not read; expected the model in "
            "16 bits, or in plain 8 bits"
        )
    if kind == "flux":
        for what, prefix in (
            ("text encoder of CLIP", _ENCODER.format("clip_l")),
            ("T5", _ENCODER.format("t5xxl")),
            ("autoencoder", _FLUX_VAE),
        ):
            if not any(name.startswith(prefix) for name in stored.shapes):
                raise TrainingError(
                    f"{stored.path} is a file of Flux without {what} (names such as {prefix}...); expected a whole checkpoint, with what "
                    "reads prompts for it, or a folder of diffusers"
                )
        if not (stored.path.parent / TOKENIZER).is_file():
            raise TrainingError(
                f"{stored.path} lies without T5's {TOKENIZER}, which prompts are read with; put it beside the file. {_WHERE_T5}"
            )
    return kind


def _sd(
    stored: Stored, dtype: torch.dtype, prediction: Prediction | None, merges: Path | None
) -> StableDiffusion:
    second = any(name.startswith(_OPEN_CLIP) for name in stored.shapes)
    facts = _facts(stored.path)
    told = prediction or ("v_prediction" if second and _is_v(stored) else "epsilon")
    side = int(facts.get("image_size", 768 if told == "v_prediction" and second else 512))
    vae = load_vae(stored, StableDiffusion.vae_dtype(dtype), scaling_factor=0.18215, sample_size=side)
    encoder = (
        load_open_clip(stored, _OPEN_CLIP, dtype, projected=False, last=False)
        if second
        else load_clip(stored, _CLIP, dtype, heads=facts.get("text_heads"))
    )
    return StableDiffusion(
        Parts(
            denoiser=load_unet(stored, dtype, side // _factor(vae)),
            vae=vae,
            text_encoders={"text_encoder": encoder},
            tokens={"text_encoder": _tokens(stored, merges, encoder, "!" if second else "")},
            prediction=told,
            scheduler=STABLE_DIFFUSION,
            path=stored.path,
            size=(side, side),
        )
    )


def _sdxl(
    stored: Stored, dtype: torch.dtype, prediction: Prediction | None, merges: Path | None
) -> StableDiffusionXL:
    first = f"{_XL}0.transformer."
    if not any(name.startswith(first) for name in stored.shapes):
        raise TrainingError(
            f"{stored.path} has one text encoder; expected SDXL's two. Its refiner, which this may be, draws on top of others' pictures"
        )
    vae = load_vae(stored, StableDiffusionXL.vae_dtype(dtype), scaling_factor=0.13025, sample_size=1024)
    encoders = {
        "text_encoder": load_clip(stored, first, dtype),
        "text_encoder_2": load_open_clip(stored, f"{_XL}1.model.", dtype, projected=True, last=True),
    }
    return StableDiffusionXL(
        Parts(
            denoiser=load_unet(stored, dtype, 1024 // _factor(vae)),
            vae=vae,
            text_encoders=encoders,
            tokens={
                name: _tokens(stored, merges, each, pad)
                for (name, each), pad in zip(encoders.items(), ("", "!"))
            },
            # Names that hosts look for too: they mark models that were trained to give v.
            prediction=prediction or ("v_prediction" if "v_pred" in stored else "epsilon"),
            scheduler={**STABLE_DIFFUSION, "rescale_betas_zero_snr": "ztsnr" in stored},
            path=stored.path,
            size=(1024, 1024),
        )
    )


def _sd3(stored: Stored, dtype: torch.dtype, merges: Path | None) -> StableDiffusion3:
    first, second, third = (_ENCODER.format(name) for name in ("clip_l", "clip_g", "t5xxl"))
    encoders = {
        "text_encoder": load_clip(stored, first, dtype, projected=True),
        "text_encoder_2": load_clip(stored, second, dtype, projected=True, act="gelu"),
    }
    tokens = {
        name: _tokens(stored, merges, each, pad) for (name, each), pad in zip(encoders.items(), ("", "!"))
    }
    remarks = []
    if f"{third}shared.weight" not in stored:
        remarks.append("The file has no T5, so prompts are read by the two text encoders of CLIP alone.")
    elif (stored.path.parent / TOKENIZER).is_file():
        encoders["text_encoder_3"] = load_t5(stored, third, dtype)
        tokens["text_encoder_3"] = json_tokens(stored.path.parent, sd3.TOKENS)
    else:
        remarks.append(
            f"The file has T5 but not its tokenizer, so prompts are read by the two text encoders of CLIP alone; put T5's {TOKENIZER} "
            f"beside it to use both; {_WHERE_T5}."
        )
    return StableDiffusion3(
        Parts(
            denoiser=load_sd3(stored, dtype),
            vae=load_vae(stored, dtype, scaling_factor=1.5305, shift_factor=0.0609, sample_size=1024),
            text_encoders=encoders,
            tokens=tokens,
            prediction="flow",
            scheduler={"num_train_timesteps": 1000, "shift": 3.0},
            path=stored.path,
            size=(1024, 1024),
            remarks=tuple(remarks),
        )
    )


def _flux(stored: Stored, dtype: torch.dtype, merges: Path | None) -> Flux:
    first, second = (_ENCODER.format(name) for name in ("clip_l", "t5xxl"))
    denoiser = load_flux(stored, dtype)
    guided = bool(denoiser.config.guidance_embeds)
    encoder = load_clip(stored, first, dtype)
    return Flux(
        Parts(
            denoiser=denoiser,
            vae=load_vae(
                stored, dtype, _FLUX_VAE, scaling_factor=0.3611, shift_factor=0.1159, sample_size=1024
            ),
            text_encoders={"text_encoder": encoder, "text_encoder_2": load_t5(stored, second, dtype)},
            tokens={
                "text_encoder": _tokens(stored, merges, encoder, ""),
                "text_encoder_2": json_tokens(stored.path.parent, tokens_of(guided)),
            },
            prediction="flow",
            scheduler={"num_train_timesteps": 1000, **(_DEV if guided else _SCHNELL)},
            path=stored.path,
            size=(1024, 1024),
        )
    )


def _is_v(stored: Stored) -> bool:
    """Whether a model of SD 2 gives v, by the numbers that ComfyUI tells them apart by (``supported_models.SD20``)."""
    name = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
    return name in stored and float(stored.value(name).float().std(unbiased=False)) > 0.09


def _factor(vae: Any) -> int:
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def _tokens(stored: Stored, merges: Path | None, encoder: Any, pad: str) -> Tokens:
    with _merges(stored.path, merges) as found:
        tokens = clip_tokens(found, int(encoder.config.max_position_embeddings), pad)
    known = int(encoder.config.vocab_size)
    if tokens.size not in (known, min(known, _CLIP_TOKENS)):
        raise TrainingError(
            f"CLIP's vocabulary here has {tokens.size:,} tokens, and the text encoder of {stored.path} knows {known:,}; expected "
            "merges.txt of openai/clip-vit-large-patch14. Check --merges, or the merges.txt beside the model"
        )
    return tokens


@contextmanager
def _merges(path: Path, given: Path | None) -> Iterator[Path]:
    """CLIP's ``merges.txt``: the one given, the one beside the model, or that of the package that carries it."""
    beside = path.parent / MERGES
    if given is None and beside.is_file():
        yield beside
        return
    with tempfile.TemporaryDirectory() as folder:
        yield merges_in(Path(folder), given)


def _facts(path: Path) -> dict[str, Any]:
    """The sizes that a generator of ours has beside it; none for other checkpoints."""
    try:
        config = json.loads((path.parent / FACTS).read_text(encoding="utf-8"))["config"]
        return {name: int(config[name]) for name in ("image_size", "text_heads")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
