"""Programs that store their prompt as a JSON object.

SwarmUI, InvokeAI, NovelAI, Fooocus and its forks, Easy Diffusion, Draw Things and Civitai.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..types import PictureText, Source
from .a1111 import looks_like_infotext
from .comfyui.graph import load_json


class _Form(NamedTuple):
    """The names a program has for both prompts and its settings, these with the WebUI's names for them.

    ``mark`` is a further entry by which the object is told from those of other programs; ``inside`` the object's name within the block.
    """

    source: Source
    prompt: str
    negative: str
    settings: Mapping[str, str]
    mark: str = ""
    inside: str = ""


_COMMON = {"seed": "Seed", "steps": "Steps", "sampler": "Sampler", "scheduler": "Schedule type"}
_SWARMUI = {**_COMMON, "model": "Model", "cfgscale": "CFG scale", "vae": "VAE"}
_INVOKEAI = {"seed": "Seed", "steps": "Steps", "scheduler": "Sampler", "cfg_scale": "CFG scale"}
_NOVELAI = {**_COMMON, "scale": "CFG scale"}
_DRAWTHINGS = {**_NOVELAI, "model": "Model", "size": "Size", "strength": "Denoising strength"}
_EASYDIFFUSION = {
    "seed": "Seed",
    "num_inference_steps": "Steps",
    "sampler_name": "Sampler",
    "guidance_scale": "CFG scale",
    "use_stable_diffusion_model": "Model",
    "use_vae_model": "VAE",
}
_EASYDIFFUSION_TITLES = {
    "Stable Diffusion model": "Model",
    "Guidance Scale": "CFG scale",
    "VAE model": "VAE",
}
_RUINED = {**_COMMON, "sampler_name": "Sampler", "cfg": "CFG scale", "base_model_name": "Model"}
_CIVITAI = {**_COMMON, "cfgScale": "CFG scale", "baseModel": "Model"}
_FOOOCUS = {
    **_COMMON,
    "guidance_scale": "CFG scale",
    "cfg": "CFG scale",
    "base_model": "Model",
    "vae": "VAE",
    "version": "Version",
}
_FORMS = (
    _Form("swarmui", "prompt", "negativeprompt", _SWARMUI, inside="sui_image_params"),
    _Form("invokeai", "positive_prompt", "negative_prompt", _INVOKEAI),
    # Version 3 before its release.
    _Form("invokeai", "positive_conditioning", "negative_conditioning", _INVOKEAI),
    _Form("novelai", "prompt", "uc", _NOVELAI, "uc"),
    _Form("drawthings", "c", "uc", _DRAWTHINGS, "uc"),
    _Form("easydiffusion", "prompt", "negative_prompt", _EASYDIFFUSION, "use_stable_diffusion_model"),
    _Form("easydiffusion", "Prompt", "Negative Prompt", _EASYDIFFUSION_TITLES, "Stable Diffusion model"),
    _Form("ruinedfooocus", "Prompt", "Negative", _RUINED, "software"),
    _Form("civitai", "prompt", "negativePrompt", _CIVITAI, "cfgScale"),
    _Form("fooocus", "prompt", "negative_prompt", _FOOOCUS),
)
_PLAIN = (str, int, float)
_LORA_NAMES = ("name", "model_name", "file", "model", "lora")
_LONGEST_VALUE = 4096


def parse_json_text(text: str) -> PictureText | None:
    """Read a prompt out of the JSON of one of the programs above; None if it is of none.

    Numbers and texts beside the prompts become ``settings``: the usual ones under the WebUI's names, the others
    under those the program gives them.
    """
    return parse_json_data(load_json(text))


def is_foreign_json(text: str) -> bool:
    """Whether a text is the JSON of a program nobody listed, also where it is cut off or damaged.

    A prompt may begin with a brace too, as in "{red|blue} car", and its settings end with one.
    """
    if text.lstrip()[:1] != "{" or text.rstrip()[-1:] != "}" or '":' not in text:
        return False
    return bool(load_json(text)) or not looks_like_infotext(text)


def parse_json_data(data: object) -> PictureText | None:
    """As ``parse_json_text``, for JSON that is parsed already."""
    if not isinstance(data, Mapping):
        return None
    for wrapper in ("Comment", "extraMetadata"):
        # NovelAI's WebP files and Civitai's graphs hold the JSON as text inside JSON.
        inner = data.get(wrapper)
        if isinstance(inner, str) and "prompt" in inner and isinstance(parsed := load_json(inner), Mapping):
            found = parse_json_data({key: value for key, value in parsed.items() if key != wrapper})
            if found is not None:
                return found
    for form in _FORMS:
        entries: Any = data.get(form.inside) if form.inside else data
        if not isinstance(entries, Mapping) or form.prompt not in entries:
            continue
        if form.mark and form.mark not in entries:
            continue
        prompt, negative = _prompts(form, entries)
        if prompt:
            return PictureText(prompt, negative, form.source, _settings(form, entries), (), _loras(entries))
    return None


def _prompts(form: _Form, entries: Mapping[Any, Any]) -> tuple[str, str]:
    prompt, negative = words(entries.get(form.prompt)), words(entries.get(form.negative))
    if form.source == "novelai":
        prompt = _captions(entries.get("v4_prompt")) or prompt
        negative = _captions(entries.get("v4_negative_prompt")) or negative
    elif form.source == "invokeai":
        prompt = with_style(prompt, words(entries.get("positive_style_prompt")))
        negative = with_style(negative, words(entries.get("negative_style_prompt")))
    elif form.source == "fooocus":
        # Styles alone, without a word of the author's own.
        prompt = prompt or _joined(entries.get("full_prompt"))
    return prompt, negative


def with_style(prompt: str, style: str) -> str:
    """Both prompts of InvokeAI's SDXL: the second encoder reads the style alone, which may repeat the prompt.

    >>> with_style("a cat", "oil"), with_style("a cat", "a cat, oil"), with_style("a cat", "a cat"), with_style("a cat", "")
    ('a cat, oil', 'a cat, oil', 'a cat', 'a cat')
    """
    said, more = (" ".join(text.replace(",", " ").casefold().split()) for text in (prompt, style))
    if not more or f" {more} " in f" {said} ":
        return prompt
    if not said or f" {said} " in f" {more} ":
        return style
    return f"{prompt.rstrip(' ,')}, {style}"


def _captions(prompt: object) -> str:
    """The words of NovelAI's version 4 and later: for the picture, then for each character."""
    caption = prompt.get("caption") if isinstance(prompt, Mapping) else None
    if not isinstance(caption, Mapping):
        return ""
    told = [words(caption.get("base_caption"))]
    people = caption.get("char_captions")
    for each in people if isinstance(people, list) else ():
        told.append(words(each.get("char_caption")) if isinstance(each, Mapping) else "")
    return ", ".join(part.strip(" ,") for part in told if part.strip(" ,"))


def _settings(form: _Form, entries: Mapping[Any, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in entries.items():
        if (
            isinstance(value, _PLAIN)
            and key not in (form.prompt, form.negative)
            and len(str(value)) <= _LONGEST_VALUE
        ):
            found.setdefault(form.settings.get(key, str(key)), str(value))
    model = entries.get("model")
    if isinstance(model, Mapping):
        name = next((words(model.get(key)) for key in ("name", "model_name") if words(model.get(key))), "")
        if name:
            found.setdefault("Model", name)
    width, height = (entries.get(side, entries.get(side.title())) for side in ("width", "height"))
    if isinstance(width, (int, str)) and isinstance(height, (int, str)):
        found.setdefault("Size", f"{width}x{height}")
    return found


def _loras(entries: Mapping[Any, Any]) -> tuple[str, ...]:
    """Names of LoRAs, in any of the ways programs list them."""
    found: list[str] = []
    for key in ("loras", "lora", "use_lora_model", "LoRA model"):
        value = entries.get(key)
        if isinstance(value, str):
            # A list printed as text, or several names with commas.
            value = [part.strip(" '\"[]") for part in value.split(",")]
        for each in value if isinstance(value, list) else ():
            found.append(_lora(each))
    inner = entries.get("v2")
    if not found and isinstance(inner, Mapping):
        found += [_lora(each) for each in inner.get("loras") or () if isinstance(each, Mapping)]
    if not any(found):
        for key, value in entries.items():
            if str(key).startswith("lora_combined_") and isinstance(value, str):
                # "name : weight", or "switch : name : weight" since version 2.4.
                parts = value.split(" : ")
                if parts[0] != "False":
                    found.append(parts[-2] if len(parts) > 1 else parts[0])
    return tuple(dict.fromkeys(name for name in found if name and name != "None"))


def _lora(entry: object) -> str:
    if isinstance(entry, str):
        # RuinedFooocus printed them as tags once.
        name = entry.partition("<")[2].partition(":")[0] if "<" in entry else entry
        return name.strip()
    if isinstance(entry, list) and len(entry) > 1 and isinstance(entry[0], str):
        # Fooocus: name, weight, hash; RuinedFooocus: hash, "weight - name".
        weight, dash, name = entry[1].partition(" - ") if isinstance(entry[1], str) else ("", "", "")
        return name if dash and weight.strip().lstrip("-").replace(".", "", 1).isdigit() else entry[0]
    if isinstance(entry, Mapping):
        for key in _LORA_NAMES:
            inner = entry.get(key)
            if isinstance(inner, Mapping):
                return _lora(inner)
            if isinstance(inner, str) and inner:
                return inner
    return ""


def _joined(value: object) -> str:
    return ", ".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else ""


def words(value: object) -> str:
    """A value's text without white space at its ends; nothing for what is no text."""
    return value.strip() if isinstance(value, str) else ""
