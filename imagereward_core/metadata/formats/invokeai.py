"""InvokeAI before version 3 (``Dream``, ``sd-metadata``), and its graph where a newer picture holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..types import PictureText
from .comfyui.graph import load_json
from .json_text import parse_json_data, with_style, words

_COMMAND = re.compile(r'\s*"(.*)"((?:\s+-\w.*)?)\s*\Z', re.DOTALL)
_OPTION = re.compile(r"\s-(\w)\s+([^\s-]\S*|-\d\S*)")
_OPTIONS = {"s": "Steps", "S": "Seed", "C": "CFG scale", "A": "Sampler"}
_AVOIDED = re.compile(r"\[([^\[\]]*)\]")
_IMAGE = {"seed": "Seed", "steps": "Steps", "cfg_scale": "CFG scale", "sampler": "Sampler"}


def parse_dream(text: str) -> PictureText | None:
    """Read a command line such as ``"a cat [blurry]" -s 50 -S 7 -W 512 -H 512 -C 7.5 -A k_lms``."""
    found = _COMMAND.match(text)
    if found is None:
        return None
    options = dict(_OPTION.findall(found[2]))
    settings = {title: options[key] for key, title in _OPTIONS.items() if key in options}
    if "W" in options and "H" in options:
        settings["Size"] = f"{options['W']}x{options['H']}"
    prompt, negative = _split(found[1])
    return PictureText(prompt, negative, "invokeai", settings)


def parse_sd_metadata(text: str) -> PictureText | None:
    """Read the JSON of versions 1 and 2: the words and settings stand under ``image``, the model beside it."""
    data = load_json(text)
    image = data.get("image") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(image, Mapping):
        return None
    told = image.get("prompt")
    parts = told if isinstance(told, list) else [told]
    texts = [words(part.get("prompt")) if isinstance(part, Mapping) else words(part) for part in parts]
    prompt, negative = _split(", ".join(part for part in texts if part))
    settings = {
        title: str(image[key])
        for key, title in _IMAGE.items()
        if isinstance(image.get(key), (str, int, float))
    }
    if isinstance(image.get("width"), int) and isinstance(image.get("height"), int):
        settings["Size"] = f"{image['width']}x{image['height']}"
    if words(data.get("model_weights")):
        settings["Model"] = words(data.get("model_weights"))
    return PictureText(prompt, negative, "invokeai", settings)


def parse_invoke_graph(text: str) -> PictureText | None:
    """Read ``invokeai_graph``: the node that collects metadata, else the nodes whose ids say which prompt they hold."""
    data = load_json(text)
    nodes = data.get("nodes") if isinstance(data, Mapping) else None
    if not isinstance(nodes, Mapping):
        return None
    known = [(str(name).lower(), node) for name, node in nodes.items() if isinstance(node, Mapping)]
    for name, node in known:
        if name.startswith("core_metadata") or node.get("type") == "core_metadata":
            found = parse_json_data(node)
            if found is not None:
                return found
    told = {"pos": "", "neg": ""}
    for name, node in known:
        role = name[:3]
        if role in told and not told[role]:
            prompt = words(node.get("prompt")) or words(node.get("value"))
            told[role] = with_style(prompt, words(node.get("style")))
    return PictureText(told["pos"], told["neg"], "invokeai") if told["pos"] else None


def _split(text: str) -> tuple[str, str]:
    """The words, and those in square brackets, which these versions took for the negative prompt."""
    negative = ", ".join(part.strip(" ,") for part in _AVOIDED.findall(text) if part.strip(" ,"))
    return re.sub(r"\s{2,}", " ", _AVOIDED.sub("", text)).strip(" ,"), negative
