"""What training writes on the card of a checkpoint: whose rules it follows, its network, its scale, and what it is a change of."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args

from ..images.spec import Framing, ImageSpec, Resizing
from .card import ScorerCard
from .cards import CARDS

FAMILIES = ("imagereward", "clip-mlp")
"""Kinds of network that training makes."""
LARGEST_SIZE = 65_536
_COUNTS = {"depth": (0, 256), "heads": (1, 1024), "patch_size": (1, 1024)}
"""Least and most of sizes that cost time, or divide others, before a tensor of the file is looked at."""
_REVISION = re.compile(r"[0-9a-f]{12}([+-][0-9a-f]{6,12}){0,4}")
TRAINED_FIELDS = ("like", "family", "network", "image", "scale", "base", "lora_scale")


def is_trained(content: Mapping[str, Any]) -> bool:
    """Whether a card was written by training, so that its file is a scorer whatever the names of its tensors are."""
    return "family" in content or "base" in content


def trained_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields training writes, checked.

    - ``like``: a registered scorer whose rules for prompts and pictures hold, and whose network where no other is given.
    - ``family``: see :data:`FAMILIES`.
    - ``network``: sizes where they are not those of ``like``, nested as in :class:`imagereward_core.nets.config.RewardConfig`.
    - ``image``: see :class:`imagereward_core.images.spec.ImageSpec`.
    - ``scale``: ``mean`` and ``std`` of raw rewards, which bring scores to mean 0 and standard deviation 1.
    - ``base``: ``id`` and ``revision`` of the scorer that a head alone or a LoRA changes.
    - ``lora_scale``: factor of what a LoRA adds.

    Raises:
        ValueError: One is of another kind.
    """
    facts: dict[str, Any] = {}
    if "like" in content:
        facts["like"] = _registered(content["like"])
    if "family" in content:
        facts["family"] = _one_of("family", content["family"], FAMILIES)
    if "network" in content:
        facts["network"] = _sizes(content["network"])
    if "image" in content:
        facts["image"] = _image(content["image"])
    if "scale" in content:
        facts["scale"] = _scale(content["scale"])
    if "base" in content:
        facts["base"] = _base(content["base"])
    if "lora_scale" in content:
        facts["lora_scale"] = _number("lora_scale", content["lora_scale"])
    return facts


def applied(facts: Mapping[str, Any]) -> ScorerCard:
    """The card that a checkpoint's own card goes out from: that of ``like`` with the network, the scale and the base given."""
    published = CARDS[facts.get("like", "ImageReward-v1.0")]
    family = facts.get("family", "imagereward")
    sizes: Any = published.sizes if published.family == family else None
    sizes = merged(sizes or {}, facts.get("network", {}))
    if "scale" in facts:
        sizes = merged(sizes, {"head": facts["scale"]} if family == "imagereward" else facts["scale"])
    base = facts.get("base", {})
    return replace(
        published,
        family=family,
        layout="",
        backbone="",
        sizes=sizes or None,
        image=facts.get("image", published.image),
        base=base.get("id", ""),
        base_revision=base.get("revision", ""),
        lora_scale=facts.get("lora_scale", 1.0),
        recipe=_recipe(facts),
    )


def merged(sizes: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested sizes with some of them changed. An image tower with a ``name`` is another one and takes the place of the whole.

    >>> merged({"text": {"width": 8, "depth": 2}}, {"text": {"depth": 3}})
    {'text': {'width': 8, 'depth': 3}}
    """
    result = dict(sizes)
    for name, value in changes.items():
        whole = not isinstance(value, Mapping) or "name" in value
        result[name] = value if whole else merged(result.get(name) or {}, value)
    return result


def _recipe(facts: Mapping[str, Any]) -> str:
    """Six digits that stand for all that changes a number beside the weights; empty where the card changes nothing."""
    telling = {name: facts[name] for name in TRAINED_FIELDS if name in facts}
    if not telling:
        return ""
    text = json.dumps(telling, sort_keys=True, default=lambda spec: vars(spec))
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _registered(value: Any) -> str:
    for name, card in CARDS.items():
        if isinstance(value, str) and name.casefold() == value.casefold() and card.text:
            return name
    raise ValueError(f"like is {str(value)[:60]!r}; expected a registered scorer that reads prompts")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {str(value)[:60]!r}; expected one of {', '.join(allowed)}")
    return str(value)


def _sizes(value: Any, depth: int = 0) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 40 or depth > 3:
        raise ValueError("network is no object of sizes")
    result: dict[str, Any] = {}
    for name, each in value.items():
        if isinstance(each, dict):
            result[name] = _sizes(each, depth + 1)
        elif isinstance(each, list) and len(each) <= 32:
            result[name] = [_size(name, item) for item in each]
        else:
            result[name] = _size(name, each)
    return result


def _size(name: str, value: Any) -> Any:
    if isinstance(value, str) and len(value) <= 100 and value.isprintable():
        return value
    if isinstance(value, bool):
        return value
    number = _number(name, value)
    least, most = _COUNTS.get(name, (0, LARGEST_SIZE))
    if isinstance(value, int) and not least <= number <= most:
        raise ValueError(f"{name} of network is {value}; expected {least} to {most:,}")
    return value


def _image(value: Any) -> ImageSpec:
    known = {each.name for each in fields(ImageSpec)}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"image is no object of {', '.join(sorted(known))}")
    spec = dict(value)
    size = spec.get("size", 224)
    if not isinstance(size, int) or isinstance(size, bool) or not 8 <= size <= 4096:
        raise ValueError("the size of image is no whole number from 8 to 4096")
    for name in ("mean", "std"):
        if name in spec:
            given = spec[name]
            if not isinstance(given, list) or len(given) != 3:
                raise ValueError(f"{name} of image is no list of three numbers")
            spec[name] = tuple(_number(name, each) for each in given)
    if any(each <= 0 for each in spec.get("std", ())):
        raise ValueError("std of image is not above 0")
    if "framing" in spec:
        _one_of("framing", spec["framing"], get_args(Framing))
    if "resizing" in spec:
        _one_of("resizing", spec["resizing"], get_args(Resizing))
    return ImageSpec(**spec)


def _scale(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError("scale is no object with mean and std")
    scale = {name: _number(name, value.get(name)) for name in ("mean", "std")}
    if scale["std"] <= 0:
        raise ValueError("the std of scale is not above 0")
    return scale


def _base(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("base is no object with id and revision")
    name, revision = value.get("id"), value.get("revision")
    if not isinstance(name, str) or not 0 < len(name) <= 80 or not name.isprintable():
        raise ValueError("the id of base is no name")
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision):
        raise ValueError("the revision of base is not one that this program gives to weights")
    return {"id": name, "revision": revision}


def _number(name: str, value: Any) -> float:
    if not is_number(value):
        raise ValueError(f"{name} is no number")
    return float(value)


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a finite number.

    >>> is_number(0.5), is_number(True), is_number(10**400)
    (True, False, False)
    """
    # math.isfinite raises for a whole number that no float can hold.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max
