"""The infotext of the Stable Diffusion WebUIs: prompt, negative prompt and one line of settings."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from .prompt import PictureText

_NEGATIVE = "Negative prompt:"
_LABEL = "Parameters:"
_LEAST_PAIRS = 3
_LONGEST_KEY = 200
_LONGEST_JSON = 65_536

# A key may hold letters, digits, "_", " ", "-" and "/", two characters at least; whatever stands before it is
# skipped.
_KEY = re.compile(r"\w[\w \-/]+\Z")
_USUAL_KEYS = frozenset({"Steps", "Sampler", "Seed", "CFG scale", "Size", "Model", "Model hash", "Version"})
_DECODER = json.JSONDecoder()


class Pair(NamedTuple):
    """One setting of a line: its key and value, and where in the line the key begins and the value ends."""

    key: str
    value: str
    start: int
    end: int


def parse_infotext(text: str) -> PictureText:
    """Take an infotext apart the way the WebUI's own "read parameters" button does.

    The last line holds the settings if at least three ``key: value`` pairs are found in it; otherwise it
    belongs to the text above. A line that begins with ``Negative prompt:`` starts the negative prompt. Values
    with commas, colons or line breaks are JSON strings and come back unquoted; unquoted JSON lists and
    objects (as Civitai appends them) come back as their JSON text. One deviation: a text of a single line
    without any of the usual keys is a prompt such as "title: x, style: y, mood: z", not settings.

    Never raises, whatever the text.
    """
    lines = text.replace("\r\n", "\n").strip().split("\n")
    settings = _settings(lines[-1])
    if len(settings) < _LEAST_PAIRS or (len(lines) == 1 and not _is_usual(settings)):
        settings = {}
    else:
        lines.pop()
    positive: list[str] = []
    negative: list[str] = []
    part = positive
    for line in lines:
        line = line.strip()
        if line.startswith(_NEGATIVE):
            part = negative
            line = line[len(_NEGATIVE) :].strip()
        part.append(line)
    return PictureText("\n".join(positive).strip(), "\n".join(negative).strip(), "a1111", settings)


def looks_like_infotext(text: str) -> bool:
    """Whether text of unknown origin is an infotext rather than a caption or a remark."""
    if text.startswith(_NEGATIVE) or f"\n{_NEGATIVE}" in text:
        return True
    settings = parse_infotext(text).settings
    return "Steps" in settings or ("Seed" in settings and "Sampler" in settings)


def _is_usual(settings: dict[str, str]) -> bool:
    return any(key in _USUAL_KEYS or key.startswith("Postprocess") for key in settings)


def _settings(line: str) -> dict[str, str]:
    return {pair.key: pair.value for pair in pairs_of(line)}


def pairs_of(line: str) -> list[Pair]:
    """Read the ``key: value`` pairs of one line, left to right, in linear time."""
    position = len(line) - len(line.lstrip())
    if line.startswith(_LABEL, position):
        position += len(_LABEL)
    length = len(line.rstrip())
    line = line[:length]
    pairs: list[Pair] = []
    while (colon := line.find(":", position)) >= 0:
        comma = line.rfind(",", position, colon)
        start = max(position, comma + 1, colon - _LONGEST_KEY)
        before = line[start:colon].rstrip()
        key = _KEY.search(before)
        if key is None:
            position = colon + 1
            continue
        value, end, position = _value(line, colon + 1)
        pairs.append(Pair(key.group(), value, start + key.start(), end))
    return pairs


def _value(line: str, position: int) -> tuple[str, int, int]:
    """Read the value that begins at ``position``; returns it with its end and the position behind its comma."""
    position = _skip_spaces(line, position)
    if line[position : position + 1] in ('"', "[", "{"):
        try:
            # A failing decoder counts the lines of all the text it is given: a window keeps that cheap.
            decoded, length = _DECODER.raw_decode(line[position : position + _LONGEST_JSON])
        except (ValueError, RecursionError):
            pass
        else:
            end = position + length
            rest = _skip_spaces(line, end)
            if rest == len(line) or line[rest] == ",":
                return (decoded if isinstance(decoded, str) else line[position:end]), end, rest + 1
    end = line.find(",", position)
    end = len(line) if end < 0 else end
    value = line[position:end].rstrip()
    return value.strip(), position + len(value), end + 1


def _skip_spaces(line: str, position: int) -> int:
    while line[position : position + 1] == " ":
        position += 1
    return position
