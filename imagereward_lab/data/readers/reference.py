"""The reference's own JSON: ``data/test.json``, and ``train.json``, ``valid.json`` and ``test.json`` of its training.

An array of ``{"id", "prompt", "generations", "ranking"}``; see ``train/src/rank_pair_dataset.py`` and ``test.py`` there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..form import FieldError, ranking_of
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .json_items import first_item, json_items
from .ranks import from_one
from .splits import split_in

_NAMES = {"generations": "images", "ranking": "ranks"}


def _recognise(path: Path) -> bool:
    item = first_item(path) if path.is_file() else None
    return isinstance(item, dict) and "generations" in item and "ranking" in item


def _read(path: Path, notes: Notes) -> Iterator[Ranking]:
    split = split_in(path.stem)
    for where, item in json_items(path, notes):
        try:
            if isinstance(item, dict):
                item = {
                    _NAMES.get(name, name): value
                    for name, value in item.items()
                    if name not in ("images", "ranks")
                }
                if isinstance(item.get("id"), int):
                    item["id"] = str(item["id"])
                if "ranks" in item:
                    item["ranks"] = from_one("ranks", item["ranks"])
                if split and not item.get("split"):
                    item["split"] = split
            yield ranking_of(item)
        except FieldError as error:
            notes.add(where, _in_its_words(str(error)))


def _in_its_words(text: str) -> str:
    for theirs, ours in _NAMES.items():
        text = re.sub(rf"\b{ours}\b", theirs, text)
    return text


def _folder(path: Path) -> Path:
    """The reference's test reads pictures from ``test_images`` beside the file, its training from ``images``."""
    for name in (f"{path.stem}_images", "images"):
        if (path.parent / name).is_dir():
            return path.parent / name
    return path.parent


FORMAT = Format(
    name="reference",
    title="the JSON of the ImageReward repository",
    recognise=_recognise,
    read=_read,
    folder=_folder,
)
