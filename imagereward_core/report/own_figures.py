"""Recognises files of figures (evaluations, comparisons), and of chosen prompts, that this program wrote, by all that they hold."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

FIGURE_COLUMNS = (
    "section",
    "measure",
    "scorer",
    "against",
    "group",
    "value",
    "low",
    "high",
    "deviation",
    "count",
    "of",
)
"""Columns of a table of figures, one figure a row."""
DOCUMENT_KEYS = ("schema_version", "kind", "title", "facts", "warnings", "sentences", "figures", "not_scored")
"""What a document of figures holds, as JSON, in this order."""
FAILURE_KEYS = ("prompt", "image", "scorer", "reason")
SCORED_KEYS = ("id", "prompt", "annotator", "images", "ranks", "scores", "reasons")
"""What a line of a file of scored rankings holds."""
CHOSEN_COLUMNS = ("place", "prompt", "times", "row", "group", "votes", "score")
"""Columns of a table of chosen prompts."""
CHOICE_KEYS = ("schema_version", "kind", "facts", "coverage", "prompts")
"""What a document of chosen prompts holds, as JSON, in this order."""

_DOCUMENT_START = b'{\n  "schema_version": 1,\n  "kind": "'
_SEAL = "ImageReward Curator, sha256 of what stands above: "
_SEALED = re.compile(rf"(?:<!-- )?{re.escape(_SEAL)}([0-9a-f]{{64}})(?: -->)?\n".encode())
_MOST = 256 * 1024 * 1024
_LONGEST_LINE = 16 * 1024 * 1024
_LONGEST_SEAL = 200


def sealed(text: str, comment: bool = False) -> str:
    """A text for people with a last line by which it is known again as long as nothing in it is changed.

    Args:
        text: The text, with a line end at its end.
        comment: Whether the line is a comment, as Markdown has them.
    """
    line = f"{_SEAL}{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"
    return f"{text}{f'<!-- {line} -->' if comment else line}\n"


def is_figures(stream: BinaryIO) -> bool:
    """Whether a file is one of figures, of scored rankings or of chosen prompts, as this program writes them, and nothing was added to it.

    Raises:
        ValueError, RecursionError, csv.Error: It is not even of the form that its beginning promises.
    """
    first = stream.read(len(_DOCUMENT_START))
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size > _MOST:
        return False
    if first.startswith(b"section,"):
        return _is_csv(stream, FIGURE_COLUMNS)
    if first.startswith(b"place,prompt,"):
        return _is_csv(stream, CHOSEN_COLUMNS)
    if first == _DOCUMENT_START:
        return _is_document(json.loads(stream.read()))
    if first.startswith(b'{"section"'):
        return _are_objects(_lines(stream), FIGURE_COLUMNS)
    if first.startswith(b'{"place"'):
        return _are_objects(_lines(stream), CHOSEN_COLUMNS)
    if first.startswith(b'{"id"'):
        return _are_objects(_lines(stream), SCORED_KEYS)
    return _is_sealed(stream, size)


def _lines(stream: BinaryIO) -> Iterator[object]:
    while line := stream.readline(_LONGEST_LINE):
        yield json.loads(line)


def _are_objects(found: Iterable[object], keys: Iterable[str]) -> bool:
    wanted = set(keys)
    return all(isinstance(each, dict) and each.keys() == wanted for each in found)


def _is_csv(stream: BinaryIO, columns: tuple[str, ...]) -> bool:
    text = io.TextIOWrapper(stream, "utf-8", "replace", newline="")
    try:
        rows = csv.reader(text)
        return tuple(next(rows, ())) == columns and all(len(row) == len(columns) for row in rows)
    finally:
        text.detach()


def _is_document(found: object) -> bool:
    if isinstance(found, dict) and tuple(found) == CHOICE_KEYS:
        return _are_objects(found["prompts"], CHOSEN_COLUMNS)
    return (
        isinstance(found, dict)
        and tuple(found) == DOCUMENT_KEYS
        and _are_objects(found["figures"], FIGURE_COLUMNS)
        and _are_objects(found["not_scored"], FAILURE_KEYS)
    )


def _is_sealed(stream: BinaryIO, size: int) -> bool:
    stream.seek(max(0, size - _LONGEST_SEAL))
    end = stream.read()
    found = _SEALED.search(end)
    if found is None or found.end() != len(end):
        return False
    stream.seek(0)
    above = stream.read(size - len(found[0]))
    return hashlib.sha256(above).hexdigest() == found[1].decode()
