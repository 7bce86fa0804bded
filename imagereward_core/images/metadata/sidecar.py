"""Prompts in text files beside pictures: captions, infotexts as the WebUIs save them, Easy Diffusion's lists and JSON."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ..regular import read_regular
from .a1111 import looks_like_infotext, parse_infotext
from .easydiffusion import parse_lines
from .encoding import decode_text
from .json_text import parse_json_text
from .prompt import PictureText

MAX_SIDECAR_BYTES = 1024 * 1024


def sidecar_prompt(path: str | os.PathLike[str]) -> PictureText | None:
    """Read the prompt of ``picture.png`` from ``picture.png.txt``, else ``picture.txt``, else a ``.json`` beside it.

    UTF-8 and UTF-16 are told apart, with or without byte order mark; what is neither is read as Latin-1. An
    infotext and the list of Easy Diffusion are taken apart, any other text is a prompt as it stands; JSON counts
    only where it is that of a program known here. Files that are empty, unreadable or above
    ``MAX_SIDECAR_BYTES`` are passed over.

    Args:
        path: The picture. It need not exist.
    """
    picture = Path(path)
    if picture.name in ("", ".."):
        return None
    for beside in (picture.with_name(picture.name + ".txt"), picture.with_suffix(".txt")):
        if beside == picture:
            continue
        text = _read(beside)
        if text:
            if (found := parse_lines(text)) is not None:
                return found
            if looks_like_infotext(text):
                return replace(parse_infotext(text), source="sidecar")
            return PictureText(text, source="sidecar")
    for beside in (picture.with_name(picture.name + ".json"), picture.with_suffix(".json")):
        found = parse_json_text(_read(beside)) if beside != picture else None
        if found is not None:
            return found
    return None


def _read(path: Path) -> str:
    try:
        data = read_regular(path, MAX_SIDECAR_BYTES + 1)
    except (OSError, ValueError):
        return ""
    return decode_text(data).strip() if len(data) <= MAX_SIDECAR_BYTES else ""
