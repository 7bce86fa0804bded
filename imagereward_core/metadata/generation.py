"""How a picture was made, by its text: program, model, LoRAs and seed, in one spelling for every format."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .formats.comfyui.graph import load_json
from .formats.comfyui.nodes import MODEL_ENDINGS
from .types import PictureText

_TAG = re.compile(r"<(?:lora|lyco|lycoris):([^<>:]+)(?::[^<>]*)?>")
_FORKS = (
    # Forge's own versions begin with f0 and f2, those of its branch reForge with f1.
    (re.compile(r"f1\."), "reforge"),
    (re.compile(r"f\d|neo\b|classic\b", re.IGNORECASE), "forge"),
    (re.compile(r"fooocus", re.IGNORECASE), "fooocus"),
    (re.compile(r"ruinedfooocus", re.IGNORECASE), "ruinedfooocus"),
    (re.compile(r"comfy", re.IGNORECASE), "comfyui"),
    (re.compile(r"sd\.?next", re.IGNORECASE), "sdnext"),
)


@dataclass(frozen=True)
class Facts:
    """Facts about how a picture was made; empty where nothing is known.

    Attributes:
        generator: The program: ``a1111``, ``forge``, ``reforge``, ``sdnext``, ``comfyui``, ``swarmui``, ``fooocus``,
            ``ruinedfooocus``, ``invokeai``, ``novelai``, ``easydiffusion``, ``drawthings``, ``civitai``.
        model, loras: Names without folders and file ending, LoRAs each once, in the order they are named.
    """

    generator: str = ""
    model: str = ""
    loras: tuple[str, ...] = ()
    seed: str = ""

    def completed(self, other: Facts) -> Facts:
        """These, and from another place what is not known here."""
        return Facts(**{name: value or getattr(other, name) for name, value in vars(self).items()})


def generated_facts(text: PictureText) -> Facts:
    """Read program, model, LoRAs and seed out of what was found in or beside a picture. Never raises."""
    settings = text.settings
    named = [*text.loras, *_TAG.findall(text.prompt), *_listed(settings)]
    loras = dict.fromkeys(name for each in named if (name := plain_name(each)) and name != "None")
    return Facts(
        _generator(text),
        plain_name(settings.get("Model", "")),
        tuple(loras),
        settings.get("Seed", "").strip(),
    )


def plain_name(name: str) -> str:
    """A model's name without folders and file ending: ``sdxl/base.safetensors`` is ``base``."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    ending = next((ending for ending in MODEL_ENDINGS if last.lower().endswith(ending)), "")
    return last[: len(last) - len(ending)]


def _listed(settings: dict[str, str]) -> list[str]:
    """LoRAs named in settings: ``Lora hashes: "a: 12ab, b: 34cd"``, Fooocus' weights, Civitai's and SD.Next's lists."""
    found: list[str] = []
    for key in ("Lora hashes", "Lora weights", "LoRA networks"):
        found += [part.partition(":")[0].strip() for part in settings.get(key, "").split(",")]
    hashes = load_json(settings.get("Hashes", ""))
    if isinstance(hashes, dict):
        found += [
            key[len("lora:") :] for key in hashes if isinstance(key, str) and key.lower().startswith("lora:")
        ]
    resources = load_json(settings.get("Civitai resources", ""))
    for each in resources if isinstance(resources, list) else ():
        if isinstance(each, dict) and str(each.get("type", "")).lower() in (
            "lora",
            "locon",
            "lycoris",
            "dora",
        ):
            found.append(str(each.get("modelName") or ""))
    return found


def _generator(text: PictureText) -> str:
    if text.source not in ("a1111", "sidecar"):
        return text.source
    if text.source == "sidecar" and not text.settings:
        return ""
    told = f"{text.settings.get('App', '')} {text.settings.get('Version', '')}".strip()
    return next((name for pattern, name in _FORKS if pattern.match(told)), "a1111")
