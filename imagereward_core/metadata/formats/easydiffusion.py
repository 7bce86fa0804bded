"""Easy Diffusion: its settings as text chunks of a PNG, one each, or as lines of a text file beside the picture."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import PictureText
from .json_text import parse_json_data

_NAMES = {
    "Prompt": "prompt",
    "Negative Prompt": "negative_prompt",
    "Stable Diffusion model": "use_stable_diffusion_model",
    "Clip Skip": "clip_skip",
    "VAE model": "use_vae_model",
    "Sampler": "sampler_name",
    "Steps": "num_inference_steps",
    "Guidance Scale": "guidance_scale",
    "Seed": "seed",
    "Width": "width",
    "Height": "height",
    "LoRA model": "use_lora_model",
}
_MODEL = "use_stable_diffusion_model"


def parse_chunks(blocks: Mapping[str, str]) -> PictureText | None:
    """Read the chunks of a picture by name; None if they are not Easy Diffusion's."""
    entries = {_NAMES.get(key, key): text for key, text in blocks.items()}
    if _MODEL not in entries or entries.get("prompt", "").lstrip()[:1] in ("", "{"):
        return None
    return parse_json_data(entries)


def parse_lines(text: str) -> PictureText | None:
    """Read a text file with lines such as ``Prompt: a cat``; None if it is no such file."""
    entries: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        name, colon, value = line.partition(": ")
        if colon and name in _NAMES:
            last = _NAMES[name]
            entries[last] = value
        elif last in ("prompt", "negative_prompt") and not (colon and name.istitle()):
            # A prompt of several lines.
            entries[last] += f"\n{line}"
        else:
            last = ""
    return parse_json_data(entries) if {"prompt", "seed", _MODEL} <= entries.keys() else None
