"""Fooocus' ``log.html`` beside its pictures, which hold no metadata unless asked for."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ...files.regular import read_regular
from ..types import PictureText
from .comfyui.graph import load_json
from .json_text import parse_json_data

LOG_NAME = "log.html"
_MOST_BYTES = 64 * 1024 * 1024
_ENTRY = re.compile(r"<div id=[\"']([^\"'<>]{1,300})[\"'] class=[\"']image-container[\"']>")
_COPIED = re.compile(r"to_clipboard\('([^']*)'\)")
_ROW = re.compile(r"<td class='(?:key|label)'>([^<]{1,100})</td><td class='value'>(.*?)</td></tr>", re.DOTALL)
_BREAK = re.compile(r"\s*</?br\s*/?>\s*")
_LABELS = {
    "Prompt": "prompt",
    "Negative Prompt": "negative_prompt",
    "Base Model": "base_model",
    "Seed": "seed",
    "Sampler": "sampler",
}


def logged_prompt(
    path: str | os.PathLike[str], readable: Callable[[Path], Path | None] | None = None
) -> PictureText | None:
    """Find a picture in the log beside it; None if there is no log, or nothing about this picture. Never raises.

    A log is read once and kept until it changes. ``readable`` says where it may be read from, links followed; None for nowhere.
    """
    picture = Path(path)
    log = picture.with_name(LOG_NAME) if picture.name not in ("", "..") else picture
    try:
        allowed = readable(log) if readable else log
        if allowed is None:
            return None
        state = allowed.stat()
        if picture == log or state.st_size > _MOST_BYTES:
            return None
        entry = _entries(str(allowed), state.st_mtime_ns, state.st_size).get(picture.name.replace(".", "_"))
    except (OSError, ValueError):
        return None
    found = _read(entry) if entry else None
    return replace(found, notes=(*found.notes, f"read from {LOG_NAME} beside the picture")) if found else None


@lru_cache(maxsize=4)
def _entries(path: str, modified: int, size: int) -> Mapping[str, str]:
    """The log's entries by the id of each, as they stand."""
    text = (
        read_regular(path, _MOST_BYTES).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    )
    starts = list(_ENTRY.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {start[1]: text[start.end() : end] for start, end in zip(starts, ends)}


def _read(entry: str) -> PictureText | None:
    copied = _COPIED.search(entry)
    data = load_json(_without_percents(copied[1])) if copied else None
    if isinstance(data, Mapping):
        # Old logs use their labels as names.
        found = parse_json_data({_LABELS.get(str(key), key): value for key, value in data.items()})
        if found is not None:
            return found
    rows = {html.unescape(key).strip(): _plain(value) for key, value in _ROW.findall(entry)}
    return parse_json_data({_LABELS.get(key, key): value for key, value in rows.items()})


def _plain(value: str) -> str:
    return html.unescape(_BREAK.sub("\n", value)).strip()


def _without_percents(text: str) -> str:
    """Text whose ``%C3%A9`` are the characters they stand for. By hand: registries flag whatever is called urllib."""
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "replace")
    )
    return raw.decode("utf-8", "replace")
