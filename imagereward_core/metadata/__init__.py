"""Reads prompts out of pictures: from the picture's own metadata, or from a text file beside it.

Importing this package loads nothing; each name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .cleaning import CleanPrompt, clean_prompt
    from .containers.blocks import read_blocks
    from .formats.a1111 import parse_infotext
    from .formats.comfyui.prompt import positive_prompt
    from .generation import Facts, generated_facts
    from .picture_prompt import READER, read_prompt
    from .sidecar import sidecar_prompt
    from .types import PictureText, Source

__all__ = [
    "READER",
    "CleanPrompt",
    "Facts",
    "PictureText",
    "Source",
    "clean_prompt",
    "generated_facts",
    "parse_infotext",
    "positive_prompt",
    "read_blocks",
    "read_prompt",
    "sidecar_prompt",
]

_HOMES = {
    "CleanPrompt": "cleaning",
    "clean_prompt": "cleaning",
    "read_blocks": "containers.blocks",
    "parse_infotext": "formats.a1111",
    "positive_prompt": "formats.comfyui.prompt",
    "Facts": "generation",
    "generated_facts": "generation",
    "READER": "picture_prompt",
    "read_prompt": "picture_prompt",
    "sidecar_prompt": "sidecar",
    "PictureText": "types",
    "Source": "types",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
