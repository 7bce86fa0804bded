"""NovelAI: words and settings as JSON in ``Comment``, the words again in ``Description``, the model in ``Source``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..types import PictureText
from .comfyui.graph import load_json
from .json_text import parse_json_data, words

_HASH = re.compile(r"\s+[0-9A-F]{8}\Z")


def parse_novelai(blocks: Mapping[str, str]) -> PictureText | None:
    """Read the text chunks of a picture; None if they are not NovelAI's. Pictures of 2022 hold the words in ``Description`` alone."""
    if blocks.get("Software") != "NovelAI":
        return None
    comment = load_json(blocks.get("Comment", ""))
    data = dict(comment) if isinstance(comment, Mapping) else {}
    data.setdefault("uc", "")
    if not words(data.get("prompt")):
        data["prompt"] = blocks.get("Description", "")
    found = parse_json_data(data)
    if found is None or found.source != "novelai":
        return None
    model = _HASH.sub("", blocks.get("Source", "").strip())
    return replace(found, settings={**found.settings, **({"Model": model} if model else {})})
