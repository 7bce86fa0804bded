"""Checkpoint, LoRAs and seed of a sampler in a ComfyUI graph."""

from __future__ import annotations

import re

from .graph import Graph, Link, Node, nodes_behind

_CHECKPOINT = "ckpt_name base_ckpt_name unet_name gguf_name diffusion_model model_name model_path".split()
_LORA = re.compile(r"lora_?name(_?\d+)?$|lora_\d+(_name)?$|lora$")
_OTHER_WAYS = re.compile(
    r"(positive|negative|conditioning|cond|latent|samples|images?|pixels|vae|clip|mask|control|text|prompt|string|noise|sigmas|width|height)"
)
_SEEDS = ("seed", "noise_seed")
_MOST_NODES = 2000
_LONGEST_WAY = 16


def models_behind(graph: Graph, sampler: str) -> tuple[str, tuple[str, ...]]:
    """The checkpoint nearest to a sampler, and the LoRAs on the way to it in the order they are applied.

    Follows every input but those that bring words, pictures or noise. Switched-off LoRAs are left out.
    """
    model = ""
    loras: list[str] = []
    for node in nodes_behind(graph, sampler, lambda key: not _OTHER_WAYS.match(key), _MOST_NODES):
        if node is None:
            continue
        if not model:
            names = (node.inputs.get(key) for key in _CHECKPOINT)
            model = next((name for name in names if isinstance(name, str) and name.strip()), "")
        loras += reversed(_loras(node))
    return model, tuple(dict.fromkeys(reversed(loras)))


def seed_of(graph: Graph, sampler: str) -> str:
    """The seed a sampler used: its own, or that of the node which brings it; empty if it cannot be told."""
    name = sampler
    keys: tuple[str, ...] = ("noise", *_SEEDS)
    for _ in range(_LONGEST_WAY):
        node = graph.get(name)
        if node is None:
            return ""
        for key in keys:
            value = node.inputs.get(key)
            if isinstance(value, Link):
                name, keys = value.node, (*_SEEDS, "value", "int", "Number")
                break
            if (
                isinstance(value, (int, str))
                and not isinstance(value, bool)
                and str(value).strip().lstrip("-").isdigit()
            ):
                return str(value)
        else:
            return ""
    return ""


def _loras(node: Node) -> list[str]:
    count = node.inputs.get("lora_count")
    found: list[str] = []
    for key, value in node.inputs.items():
        if not _LORA.match(key):
            continue
        number = re.sub(r"\D", "", key)
        if isinstance(value, dict):
            on, name, strength = value.get("on", True), value.get("lora"), value.get("strength", 1)
        else:
            on = node.inputs.get(f"switch_{number}", "On") != "Off"
            strength = node.inputs.get("strength_model", 1)
            name = value
        if isinstance(count, int) and number and int(number[:6]) > count:
            continue
        if on and isinstance(name, str) and name not in ("", "None") and strength != 0:
            found.append(name)
    return found
