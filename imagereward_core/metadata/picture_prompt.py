"""The prompt a picture carries in its own metadata, whichever program wrote it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from .containers.blocks import read_blocks
from .containers.stealth import stealth_text
from .formats.a1111 import looks_like_infotext, parse_infotext
from .formats.comfyui.graph import load_json, read_api_graph
from .formats.comfyui.prompt import positive_prompt
from .formats.drawthings import XMP_KEY, parse_xmp
from .formats.easydiffusion import parse_chunks
from .formats.fooocus_log import logged_prompt
from .formats.invokeai import parse_dream, parse_invoke_graph, parse_sd_metadata
from .formats.json_text import is_foreign_json, parse_json_text
from .formats.novelai import parse_novelai
from .sidecar import Readable
from .types import PictureText

READER = 3
"""Raised with every change after which a file may have another prompt or note: libraries then read them anew, and score what changed."""

_TEXTS = "parameters UserComment ImageDescription comment Comment Model invokeai_metadata invokeai".split()
_PROGRAMS: tuple[tuple[str, Callable[[str], PictureText | None]], ...] = (
    ("sd-metadata", parse_sd_metadata),
    ("Dream", parse_dream),
    ("invokeai_graph", parse_invoke_graph),
    (XMP_KEY, parse_xmp),
)


def read_prompt(
    source: str | os.PathLike[str] | Image.Image | BinaryIO,
    name: str = "",
    stealth: bool = False,
    readable: Readable | None = None,
) -> PictureText | None:
    """Find the prompt a picture carries in its metadata; None if there is nothing of the kind, or it is damaged.

    An infotext comes first, also inside files from ComfyUI, because it states the prompt where a graph has to
    be traced; then what other programs write, then ComfyUI's graph, then its editor file. The first with a
    prompt counts. If none has one, Fooocus' log beside the file is asked, and at last the first text that was
    understood counts (a picture made without a prompt).

    Args:
        source: As for ``read_blocks``.
        name: Name or path of a stream's file: a ComfyUI graph may save several pictures, and the log is looked for beside it.
        stealth: Whether to look for text hidden in the lowest bits of the pixels too, where metadata hold none.
            That decodes the picture.
        readable: Says whether the log may be read; by default it may.

    Raises:
        ImageError: The file cannot be opened, or is not a picture this Pillow can open.
    """
    is_file = isinstance(source, (str, os.PathLike))
    path = Path(source) if isinstance(source, (str, os.PathLike)) else Path(name) if name else None
    found = _prompt_in(read_blocks(source, name), str(path) if path else None)
    if (found is None or not found.prompt) and path is not None and (is_file or path.is_absolute()):
        found = logged_prompt(path, readable) or found
    if (found is None or not found.prompt) and stealth:
        hidden = stealth_text(source)
        found = (_prompt_in(hidden, None) if hidden else None) or found
    return found


def _prompt_in(blocks: Mapping[str, str], file_name: str | None) -> PictureText | None:
    empty: PictureText | None = None
    for found in _readings(blocks, file_name):
        if found is not None and found.prompt:
            return found
        empty = empty or found
    return _graph_prompt(blocks, file_name, empty)


def _graph_prompt(
    blocks: Mapping[str, str], file_name: str | None, empty: PictureText | None
) -> PictureText | None:
    """What ComfyUI's graph says; ``empty`` where that is nothing.

    The editor's file counts only where the graph as it ran cannot be read: both are the same graph, but the
    editor's file names no values, so that what it adds is guessing. Beside a graph that can be read it shows
    what nodes have shown while it ran.
    """
    ran, edited = (blocks.get(name, "") for name in ("prompt", "workflow"))
    data = load_json(ran) if ran else None
    found = positive_prompt(data, file_name, edited)
    if edited and not read_api_graph(data):
        found = positive_prompt(edited, file_name)
        if found is not None and ran:
            note = "the graph as it ran cannot be read: read from the editor's file instead"
            found = replace(found, notes=(note, *found.notes))
    return found if found is not None and (found.prompt or found.notes) else empty or found


def _readings(blocks: Mapping[str, str], file_name: str | None) -> Iterator[PictureText | None]:
    """The result of each reader for the blocks, the likeliest first."""
    yield parse_novelai(blocks)
    for name in _TEXTS:
        if name in blocks:
            yield _understand(name, blocks[name], file_name)
    for name, parse in _PROGRAMS:
        if name in blocks:
            yield parse(blocks[name])
    yield parse_chunks(blocks)


def _understand(name: str, text: str, file_name: str | None) -> PictureText | None:
    """Read one block: JSON by its keys, an infotext by its form, ``parameters`` as an infotext anyway."""
    if text.lstrip()[:1] == "{":
        if (found := parse_json_text(text) or positive_prompt(text, file_name)) is not None:
            return found
        if is_foreign_json(text):
            return None
    if text.strip() and (name == "parameters" or looks_like_infotext(text)):
        return parse_infotext(text)
    return None
