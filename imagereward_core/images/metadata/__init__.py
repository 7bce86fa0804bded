"""Reading prompts out of pictures: from the picture's own metadata, or from a text file beside it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from PIL import Image

from .a1111 import looks_like_infotext, parse_infotext
from .cleaning import CleanPrompt, clean_prompt
from .comfyui import positive_prompt
from .containers import read_blocks
from .json_text import parse_json_text
from .prompt import PictureText, Source
from .sidecar import sidecar_prompt

__all__ = [
    "CleanPrompt",
    "PictureText",
    "Source",
    "clean_prompt",
    "parse_infotext",
    "positive_prompt",
    "read_blocks",
    "read_prompt",
    "sidecar_prompt",
]

_TEXTS = ("parameters", "UserComment", "ImageDescription", "comment", "Comment", "invokeai_metadata")
_GRAPHS = ("prompt", "workflow")


def read_prompt(source: str | os.PathLike[str] | Image.Image) -> PictureText | None:
    """Find the prompt a picture carries in its metadata.

    An infotext comes first, also inside files from ComfyUI, because it states the prompt where a graph has to
    be traced; then the JSON of other programs, then ComfyUI's graph, then its editor file. The first with a
    prompt counts; if none has one, the first that was understood (a picture made without a prompt).

    Args:
        source: A file, or an open Pillow image (see ``read_blocks`` for what that lacks).

    Returns:
        What was found, or None if the picture carries nothing of the kind or its metadata is damaged.

    Raises:
        ImageError: The file cannot be opened, or is not a picture this Pillow can open.
    """
    blocks = read_blocks(source)
    file_name = None if isinstance(source, Image.Image) else Path(source).name
    empty: PictureText | None = None
    for name in _TEXTS:
        found = _understand(name, blocks.get(name, ""), file_name)
        if found is not None and found.prompt:
            return found
        empty = empty or found
    notes: tuple[str, ...] = ()
    for name in _GRAPHS:
        text = blocks.get(name, "")
        found = positive_prompt(text, file_name) if text else None
        if found is not None and found.prompt:
            return replace(found, notes=(*notes, *found.notes))
        if text and name == "prompt":
            notes = ("the graph as it ran leads to no prompt: read from the editor's file instead",)
    return empty


def _understand(name: str, text: str, file_name: str | None) -> PictureText | None:
    """Read one block: JSON by its keys, an infotext by its form, ``parameters`` as an infotext anyway."""
    if text.lstrip()[:1] == "{":
        if (found := parse_json_text(text) or positive_prompt(text, file_name)) is not None:
            return found
        # A prompt may begin with a brace, as in "{red|blue} car"; the JSON of a program nobody listed is no
        # prompt.
        if text.rstrip()[-1:] == "}" and '":' in text:
            return None
    if text.strip() and (name == "parameters" or looks_like_infotext(text)):
        return parse_infotext(text)
    return None
