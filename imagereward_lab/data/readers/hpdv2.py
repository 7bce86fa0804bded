"""HPDv2: ``train.json`` and ``test.json`` of the Human Preference Dataset v2 (arXiv 2306.09341).

``train.json`` is an array of ``{"prompt", "file_path" or "image_path", "human_preference"}``, in which 1 marks the preferred picture.
``test.json`` is one of ``{"prompt", "image_path", "rank", "raw_annotations": [{"rank", "user_hash"}]}``: the averaged ranking, lower is
better, and that of each annotator. Pictures lie in folders ``train`` and ``test`` beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..form import FieldError, list_in, ranking_of, whole_in
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .json_items import first_item, json_items
from .ranks import from_one
from .splits import split_in


def _recognise(path: Path) -> bool:
    item = first_item(path) if path.is_file() else None
    return (
        isinstance(item, dict)
        and isinstance(item.get("image_path", item.get("file_path")), list)
        and ("human_preference" in item or "rank" in item)
    )


def _read(path: Path, notes: Notes) -> Iterator[Ranking]:
    for where, item in json_items(path, notes):
        try:
            facts = _facts(item, path)
            if "rank" in item:
                yield ranking_of({**facts, "ranks": from_one("rank", item["rank"])})
            else:
                yield ranking_of({**facts, **_preferred(item.get("human_preference"))})
        except FieldError as error:
            notes.add(where, str(error))


def _read_annotators(path: Path, notes: Notes) -> Iterator[Ranking]:
    for where, item in json_items(path, notes):
        try:
            facts = _facts(item, path)
            for place, each in enumerate(
                list_in("raw_annotations", item.get("raw_annotations"), lambda _, one: one)
            ):
                field = f"raw_annotations[{place}]"
                if not isinstance(each, Mapping):
                    raise FieldError(field, "no object", "an object with rank and user_hash")
                who = each.get("user_hash", "")
                ranks = from_one(f"{field}.rank", each.get("rank"))
                yield ranking_of(
                    {**facts, "ranks": ranks, "annotator": str(who) if isinstance(who, int) else who}
                )
        except FieldError as error:
            notes.add(where, str(error))


def _facts(item: Any, path: Path) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FieldError("the item", "no object", "an object with prompt and image_path")
    return {
        "prompt": item.get("prompt"),
        "images": item.get("image_path", item.get("file_path")),
        "split": split_in(path.stem),
    }


def _preferred(value: Any) -> dict[str, Any]:
    """Ranks where pictures were preferred or not; of more than two, those that were not were not compared with each other."""
    marks = list_in("human_preference", value, lambda field, each: whole_in(field, each, 1))
    return {"ranks": [2 - mark if any(marks) else 1 for mark in marks], "coarse": len(marks) > 2}


def _folder(path: Path) -> Path:
    beside = path.parent / path.stem
    return beside if beside.is_dir() else path.parent


FORMAT = Format(name="hpdv2", title="the JSON of HPDv2", recognise=_recognise, read=_read, folder=_folder)
ANNOTATORS = Format(
    name="hpdv2-annotators",
    title="the JSON of HPDv2's test set, one ranking for each annotator",
    recognise=lambda path: False,
    read=_read_annotators,
    folder=_folder,
)
