"""Scores inside texts that generators wrote: the settings line of an infotext, or the JSON of other programs.

Whatever is not ours stays as it is, character for character.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from ...errors import ImageError
from ..formats.a1111 import pairs_of, parse_infotext
from ..formats.comfyui.graph import load_json
from ..score_keys import METADATA_KEY, is_score_key, known_keys
from .splice import BESIDE

RATED_BY = ("Rated by", "ImageReward Curator")
RATINGS = "Ratings"
"""The pair that lists our keys, for texts that have no other place to remember them."""

_LAST = ("Version", "User")
_JSON_START = f'"{METADATA_KEY}": '


def is_infotext(text: str) -> bool:
    """Whether the last line of a text holds settings, as the WebUI and this project's reader see it."""
    return not is_json(text) and bool(parse_infotext(text).settings)


def is_json(text: str) -> bool:
    """Whether a text is a JSON object."""
    return text.lstrip()[:1] == "{" and isinstance(load_json(text), dict)


def put_into_settings(text: str, fields: Mapping[str, str], owned: Collection[str] = ()) -> str:
    """Write scores into the settings line of an infotext, where the WebUI writes what extensions add: before ``Version``.

    A pair whose key ends in "score" stays behind ours, since galleries take the first such number for the aesthetic
    score. Pairs of ours, also those of ``owned`` keys, are replaced; without fields they are taken out. All else is as it was.
    ``is_infotext`` holds for the text, or its last line holds nothing but keys of ours.

    Raises:
        ImageError: The prompt or another setting would be read differently afterwards.
    """
    ours = {*fields, *owned}
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    foreign = _without(text[start:end], ours)
    added = _line(fields)
    if foreign.strip():
        line = _with(foreign, added) if added else foreign
        changed = text[:start] + line + text[end:]
        _check(text, changed, ours)
        if _without(line, ours) != foreign:
            raise _unsafe("settings from which scores could not be taken out again")
        return changed
    # The line is ours alone; without it, the line break before it goes too.
    return text[: start if added else max(0, start - 1)] + added + text[end:]


def put_into_comment(text: str, fields: Mapping[str, str]) -> str:
    """Write scores into the text of an EXIF user comment, whatever it holds.

    - JSON of a program: one more entry at its end, under the name of our block.
    - An infotext: its settings line.
    - Other text, or none: a line of its own, with at least three pairs, so that the WebUI takes it for settings.

    Our keys are listed in a pair of their own, so that they can be distinguished from others later.

    Raises:
        ImageError: The text cannot be changed without being read differently.
    """
    if is_json(text):
        return _put_into_json(text, fields)
    listed = _listed_keys(text)
    marked = {**fields, RATINGS: " ".join(fields), RATED_BY[0]: RATED_BY[1]}
    ours = {*listed, RATINGS, RATED_BY[0]}
    last = text.rstrip().rpartition("\n")[2]
    if pairs_of(last) and not _without(last, {*ours, *fields, *known_keys()}).strip():
        return put_into_settings(text, marked, {*ours, *known_keys()})
    if is_infotext(text):
        return put_into_settings(text, marked, ours)
    if listed:
        text = put_into_settings(text, {}, ours)
    if not text.strip():
        return _line(marked)
    changed = f"{text}\n{_line(marked)}"
    _check(text, changed, marked)
    return changed


def _line(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in fields.items())


def _without(line: str, keys: Collection[str]) -> str:
    """The line without the pairs of these keys, each with the comma before it, or after it if it is the first."""
    pieces: list[str] = []
    position = 0
    for pair in pairs_of(line):
        if pair.key not in keys:
            continue
        comma = line.rfind(",", position, pair.start)
        if comma >= 0 and not line[comma + 1 : pair.start].strip():
            pieces.append(line[position:comma])
            position = pair.end
        else:
            pieces.append(line[position : pair.start])
            position = pair.end
            rest = line[position:].lstrip(" ")
            if rest.startswith(",") and not "".join(pieces).strip():
                position = len(line) - len(rest[1:].lstrip(" "))
    pieces.append(line[position:])
    return "".join(pieces)


def _with(line: str, ours: str) -> str:
    pairs = pairs_of(line)
    for pair in pairs:
        # Something that is no pair may stand before one, without a comma.
        apart = line[: pair.start].rstrip(" ")[-1:] in ("", ",")
        if apart and (pair.key in _LAST or pair.key.lower().endswith("score")):
            return f"{line[: pair.start]}{ours}, {line[pair.start :]}"
    if not pairs:
        return line + ours
    end = pairs[-1].end
    return f"{line[:end]}, {ours}{line[end:]}"


def _listed_keys(text: str) -> set[str]:
    """The keys that a text says are ours, as far as they can be: a text may be a stranger's, and name what is another program's."""
    pairs = {pair.key: pair.value for pair in pairs_of(text.rstrip().rpartition("\n")[2])}
    if pairs.get(RATED_BY[0]) != RATED_BY[1] or RATINGS not in pairs:
        return set()
    return {key for key in pairs[RATINGS].split() if is_score_key(key)}


def _put_into_json(text: str, fields: Mapping[str, str]) -> str:
    """Add one entry behind all others, or replace the one we added; never anywhere else."""
    data = load_json(text)
    end = text.rstrip().rfind("}")
    if not isinstance(data, dict) or end < 0:
        raise _unsafe("JSON that is no object")
    start = end
    if METADATA_KEY in data:
        start = text.rfind(_JSON_START, 0, end)
        if start < 0 or text[start + len(_JSON_START) : end] != json.dumps(data[METADATA_KEY]):
            raise _unsafe(f"JSON with an entry {METADATA_KEY!r} of another program")
        start -= 2 if text[:start].endswith(", ") else 0
    comma = "" if text[:start].rstrip().endswith("{") else ", "
    changed = f"{text[:start]}{comma}{_JSON_START}{json.dumps(dict(fields))}{text[end:]}"
    others = {key: value for key, value in data.items() if key != METADATA_KEY}
    again = load_json(changed)
    if not isinstance(again, dict) or {k: v for k, v in again.items() if k != METADATA_KEY} != others:
        raise _unsafe("JSON that would be read differently")
    return changed


def _check(before: str, after: str, ours: Collection[str]) -> None:
    """Refuses a change after which the text says something else but for our keys."""
    told = [
        (
            found.prompt,
            found.negative,
            {key: value for key, value in found.settings.items() if key not in ours},
        )
        for found in (parse_infotext(before), parse_infotext(after))
    ]
    if told[0] != told[1]:
        raise _unsafe("a prompt or a setting that would be read differently with scores beside it")


def _unsafe(what: str) -> ImageError:
    return ImageError(
        f"the metadata hold {what}; expected an infotext, JSON of a known form, or plain text. {BESIDE}"
    )
