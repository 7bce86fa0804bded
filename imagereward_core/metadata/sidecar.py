"""Prompts in text files beside pictures: captions, infotexts as the WebUIs save them, Easy Diffusion's lists and JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..files.regular import read_regular
from .companions import PROMPT_ENDINGS, side_files
from .containers.text_encoding import decode_file
from .formats.a1111 import looks_like_infotext, parse_infotext
from .formats.easydiffusion import parse_lines
from .formats.json_text import is_foreign_json, parse_json_text
from .types import PictureText

MAX_SIDECAR_BYTES = 1024 * 1024
SCORES_BEGIN = "ImageReward Curator"
"""The line below which a text file beside a picture holds scores, in files that this program wrote."""


def text_with_scores(prompt: str, lines: Sequence[str]) -> str:
    """A text file to lie beside a picture: its prompt, then its scores for people.

    >>> without_scores(text_with_scores("a red fox", ["demo: 1.5"]))
    'a red fox'
    """
    return "\n".join([*([prompt.strip(), ""] if prompt.strip() else []), SCORES_BEGIN, *lines, ""])


def without_scores(text: str) -> str:
    """The text above the scores, or all of it where there are none."""
    lines = text.splitlines()
    if SCORES_BEGIN not in lines:
        return text
    return "\n".join(lines[: lines.index(SCORES_BEGIN)]).strip()


Readable = Callable[[Path], "Path | None"]
"""Where a file may be read from, links followed; None where it may not be read."""


def sidecar_prompt(path: str | os.PathLike[str], readable: Readable | None = None) -> PictureText | None:
    """Read the prompt of ``picture.png``, which need not exist, from the text files beside it that are ``readable``, by default all.

    ``picture.png.txt``, ``picture.txt``, then likewise ``.caption``, ``.json`` and SwarmUI's ``.swarm.json``, in any letter case;
    the first with a prompt counts. UTF-8 and UTF-16 are told apart, with or without byte order mark; what is neither is
    read in the system's or Windows' encoding, with a note. An infotext and the list of Easy Diffusion are taken
    apart, any other text is a prompt as it stands, without the scores that
    this program may have written below it; JSON counts only where it is that of a program known here. Files
    that are empty, unreadable or above ``MAX_SIDECAR_BYTES`` are passed over.
    """
    for beside in side_files(Path(path), PROMPT_ENDINGS):
        text, note = _read(beside.path, readable)
        text = without_scores(text)
        found = parse_json_text(text) if text.startswith("{") else None
        if (
            found is None
            and text
            and not beside.ending.lower().endswith(".json")
            and not is_foreign_json(text)
        ):
            found = _plain_prompt(text)
        if found is not None:
            return replace(found, notes=(*found.notes, note)) if note else found
    return None


def _plain_prompt(text: str) -> PictureText:
    if (found := parse_lines(text)) is not None:
        return found
    if looks_like_infotext(text):
        return replace(parse_infotext(text), source="sidecar")
    return PictureText(text, source="sidecar")


def _read(path: Path, readable: Readable | None) -> tuple[str, str]:
    """A file's text without white space at its ends, and a note about how it was read."""
    try:
        allowed = readable(path) if readable else path
        data = read_regular(allowed, MAX_SIDECAR_BYTES + 1) if allowed else b""
    except (OSError, ValueError):
        return "", ""
    text, note = decode_file(data) if len(data) <= MAX_SIDECAR_BYTES else ("", "")
    return text.strip(), note
