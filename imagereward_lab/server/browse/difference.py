"""What two pictures have otherwise: their prompts and settings, field by field."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.files.within import readable_in
from imagereward_core.metadata.picture_prompt import read_prompt

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

_LONGEST = 4000
"""Words of a text that are compared one by one."""
_WORDS = re.compile(r"\s+|[\w'-]+|[^\w\s]")
_NAMED = {"Model": "model", "Seed": "seed", "Size": "size", "Lora hashes": "", "Model hash": ""}


def difference(folder: Path, one: Row, other: Row) -> list[dict[str, Any]]:
    """The fields in which they differ, prompts first: name, and for each picture its text in pieces, as text and whether only it has it."""
    fields = [_fields(folder, row) for row in (one, other)]
    return [
        {"name": name, "pieces": pieces(*(each.get(name, "") for each in fields))}
        for name in dict.fromkeys((*fields[0], *fields[1]))
        if fields[0].get(name, "") != fields[1].get(name, "")
    ]


def _fields(folder: Path, row: Row) -> dict[str, str]:
    """Texts by name; small letters are names that the page knows, others are the program's own."""
    made = row.generated
    found = {
        "prompt": made.written or made.prompt,
        "negative": made.negative,
        "model": made.model,
        "loras": ", ".join(made.loras),
        "seed": made.seed,
        "size": f"{row.width} x {row.height}" if row.width else "",
        "generator": made.generator,
    }
    for name, value in _settings(folder, row.path).items():
        if name not in _NAMED:
            found[name] = value
    return found


def _settings(folder: Path, path: Path) -> dict[str, str]:
    """The settings in the picture's own metadata; empty where there are none, or where it lies outside of the folder."""
    real = readable_in([folder])(path)
    if real is None:
        return {}
    try:
        found = read_prompt(real)
    except (OSError, ValueError):
        return {}
    return {} if found is None else dict(found.settings)


def pieces(one: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two texts in pieces, each with whether only this text has it.

    >>> pieces("a red fox", "a blue fox")
    ([('a ', False), ('red', True), (' fox', False)], [('a ', False), ('blue', True), (' fox', False)])
    """
    left, right = _WORDS.findall(one), _WORDS.findall(other)
    if max(len(left), len(right)) > _LONGEST:
        return [(one, True)], [(other, True)]
    shared = _shared(left, right)
    return _joined(left, {place for place, _ in shared}), _joined(right, {place for _, place in shared})


def _joined(words: Sequence[str], shared: set[int]) -> list[tuple[str, bool]]:
    """Neighbours that are both shared, or both not, as one text."""
    grouped = itertools.groupby(range(len(words)), lambda place: place not in shared)
    return [("".join(words[place] for place in places), is_own) for is_own, places in grouped]


def _shared(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Places of a longest common subsequence, the last first.

    Bit-parallel (Hyyrö 2004): a row of the table is one whole number, whose bits are 0 where the length grows from one word of ``right``
    to the next. Texts of strangers may repeat their words so that :mod:`difflib` takes hours; this takes the same time for all.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(right):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(right)) - 1
    rows = [every]
    for word in left:
        above = rows[-1]
        met = above & places.get(word, 0)
        rows.append((above + met | above - met) & every)
    found = []
    row, column = len(left), len(right)
    while row and column:
        if rows[row] >> column - 1 & 1:
            column -= 1
        elif rows[row - 1] >> column - 1 & 1:
            row, column = row - 1, column - 1
            found.append((row, column))
        else:
            row -= 1
    return found
