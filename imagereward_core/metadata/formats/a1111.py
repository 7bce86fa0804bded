"""The infotext of the Stable Diffusion WebUIs: prompt, negative prompt and one line of settings."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from ..types import PictureText

_NEGATIVE = "Negative prompt:"
_LABEL = "Parameters:"
_LEAST_PAIRS = 3
_LONGEST_KEY = 200
_LONGEST_JSON = 65_536
_MOST_TRIES = 8

# A key may hold letters, digits, "_", " ", "-" and "/", two characters at least; whatever stands before it is
# skipped.
_KEY = re.compile(r"\w[\w \-/]+\Z")
_STEPS = re.compile(r"Steps:[ ]?\d+[ ]*(?:,|\Z)")
_ESCAPED = re.compile(r"\\r\\n|\\n|\r")
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
    without any of the usual keys is a prompt such as "title: x, style: y, mood: z", not settings. Another:
    texts that lost their line breaks on the way ("a cat.Negative prompt: blurry.Steps: 20, Sampler: ...", as
    exiftool shows them) are taken apart where the breaks were.

    Never raises, whatever the text.
    """
    lines = _lines(text)
    pairs = pairs_of(lines[-1])
    settings = {pair.key: pair.value for pair in pairs}
    alone = len(lines) == 1
    if len(settings) < _LEAST_PAIRS or (
        alone and not (_is_usual(pairs) and _begins_with(lines[0], pairs[0]))
    ):
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


def _lines(text: str) -> list[str]:
    """The lines of an infotext as it was written, also where line breaks were lost or became other signs."""
    text = text.replace("\r\n", "\n").strip()
    if "\n" not in text and (f"\\n{_NEGATIVE}" in text or "\\nSteps: " in text or "\r" in text):
        text = _ESCAPED.sub("\n", text)
    *lines, last = text.split("\n")
    start = _start_of_settings(last, alone=not lines)
    words, settings = last[:start], last[start:]
    if not words or (lines and not settings):
        return [*lines, last]
    before, negative, after = words.partition(_NEGATIVE)
    following = [settings] if settings else []
    if negative:
        following = [f"{_NEGATIVE} {_without_break(after) if settings else after}", *following]
    if before.strip():
        following = [_without_break(before) if following else before, *following]
    return lines + following


def _start_of_settings(line: str, alone: bool) -> int:
    """Where in the last, perhaps the only, line its settings begin: 0 where it is all settings, its length where it has none.

    Only ``Steps: 20,`` begins settings behind other words, and only with two of the usual settings behind it.
    """
    found = [match.start() for match in _STEPS.finditer(line)]
    if not found:
        return len(line)
    head = pairs_of(line[: found[0]])
    if line[: found[0]].strip() in ("", _LABEL):
        return 0
    if head and _begins_with(line, head[0]) and (not alone or _is_usual(head)):
        return 0
    rest = line[found[0] :]
    quoted = [pair for pair in pairs_of(rest) if _is_quoted(rest, pair)]
    # Words may hold "Steps: 3," themselves, and so may values; of words it is the last that begins the settings.
    for start in found[: -_MOST_TRIES - 1 : -1]:
        inside = any(pair.start < start - found[0] < pair.end for pair in quoted)
        if not inside and len({pair.key for pair in pairs_of(line[start:])} & _USUAL_KEYS) >= _LEAST_PAIRS:
            return start
    return len(line)


def _is_quoted(line: str, pair: Pair) -> bool:
    """Whether a pair's value is JSON, in which commas and colons are no signs of other pairs."""
    value = line[pair.start + len(pair.key) : pair.end].lstrip()[1:].lstrip()
    return value[:1] in ('"', "[", "{")


def _without_break(words: str) -> str:
    """Words without the sign that stands for a line break behind them: a blank, or a full stop without one."""
    return words.strip() if words[-1:].isspace() else words.removesuffix(".").strip()


def looks_like_infotext(text: str) -> bool:
    """Whether text of unknown origin is an infotext rather than a caption or a remark."""
    if text.startswith(_NEGATIVE) or f"\n{_NEGATIVE}" in text:
        return True
    found = parse_infotext(text)
    settings = found.settings
    return bool(found.negative) or "Steps" in settings or ("Seed" in settings and "Sampler" in settings)


def _is_usual(pairs: list[Pair]) -> bool:
    return any(pair.key in _USUAL_KEYS or pair.key.startswith("Postprocess") for pair in pairs)


def _begins_with(line: str, pair: Pair) -> bool:
    return line[: pair.start].strip() in ("", _LABEL) and pair.key != _NEGATIVE[:-1]


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
