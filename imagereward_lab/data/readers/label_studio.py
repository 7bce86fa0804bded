"""Label Studio: its JSON export of tasks that were ranked with the control ``Ranker``.

Each annotation becomes a ranking of its annotator. Without buckets the result is ``{"rank": [ids in order]}``. With buckets it is
``{bucket: [ids]}``, the best bucket first: by the numbers in the buckets' names where all have one, else in the order of the export;
pictures in one bucket are ties, and those in ``_``, which is the list itself, are unranked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..form import FieldError, ranking_of, shown, text_in
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .json_items import first_item, json_items
from .label_studio_answers import more_of

_IMAGE = re.compile(r"""<img\b[^>]*?\bsrc\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,9}")
_FIELDS = ("image", "src", "url", "path", "file", "html", "body", "title")
_PROMPTS = ("prompt", "text", "caption")
_UNRANKED = "_"
_FURTHER = ("task", "mode", "test", "sources")
"""Fields of a task's data that a ranking keeps."""


def _recognise(path: Path) -> bool:
    item = first_item(path) if path.is_file() else None
    return (
        isinstance(item, dict)
        and isinstance(item.get("annotations"), list)
        and isinstance(item.get("data"), dict)
    )


def _read(path: Path, notes: Notes) -> Iterator[Ranking]:
    for where, task in json_items(path, notes):
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            notes.add(where, "found no task; expected an object with data and annotations")
            continue
        annotations = task.get("annotations")
        done = (
            [each for each in annotations if isinstance(each, Mapping)]
            if isinstance(annotations, list)
            else []
        )
        for number, annotation in enumerate(done, 1):
            if annotation.get("was_cancelled"):
                continue
            results = annotation.get("result")
            given = (
                [each for each in results if isinstance(each, Mapping)] if isinstance(results, list) else []
            )
            rankers = [each for each in given if each.get("type") == "ranker"]
            if not rankers and any(each.get("from_name") in ("best", "worst") for each in given):
                rankers = [{}]
            for result in rankers:
                try:
                    yield _ranking(task, annotation, result, given)
                except FieldError as error:
                    notes.add(f"{where}, annotation {number}", str(error))


def _ranking(
    task: Mapping[str, Any],
    annotation: Mapping[str, Any],
    result: Mapping[str, Any],
    results: list[Mapping[str, Any]],
) -> Ranking:
    """The ranking of one annotation.

    Args:
        task: What was asked.
        annotation: What somebody answered.
        result: Of it the ranking; empty where only the best and the worst were chosen.
        results: All of it.
    """
    ranks = _ranks(_buckets(result)) if result else {}
    items = _items(task["data"], ranks)
    ids = [str(item["id"]) for item in items]
    return ranking_of(
        {
            **{name: task["data"][name] for name in _FURTHER if name in task["data"]},
            **({"role": annotation["role"]} if "role" in annotation else {}),
            **more_of(results, ids),
            "prompt": _prompt(task["data"]),
            "images": [_picture(item) for item in items],
            **({"ranks": [ranks.get(each, 0) for each in ids]} if result else {}),
            "id": str(task.get("id", "")),
            "annotator": _who(annotation.get("completed_by")),
            "seconds": _seconds(annotation.get("lead_time")),
        }
    )


def _buckets(result: Mapping[str, Any]) -> Mapping[str, Any]:
    value = result.get("value")
    buckets = value.get("ranker") if isinstance(value, Mapping) else None
    name = result.get("from_name")
    if isinstance(buckets, Mapping) and isinstance(name, str) and isinstance(buckets.get(name), Mapping):
        buckets = buckets[name]
    if not isinstance(buckets, Mapping):
        raise FieldError("value.ranker", shown(buckets), "an object with lists of ids")
    return buckets


def _ranks(buckets: Mapping[str, Any]) -> dict[str, int]:
    """Rank by id."""
    lists = {name: ids for name, ids in buckets.items() if name != _UNRANKED}
    for name, ids in lists.items():
        if not isinstance(ids, list):
            raise FieldError(f"value.ranker.{name[:40]}", shown(ids), "a list of ids")
    if len(lists) == 1:
        return {str(each): place for place, each in enumerate(next(iter(lists.values())), 1)}
    numbers = {name: int(found[0]) for name in lists if (found := _NUMBER.search(name))}
    order = sorted(lists, key=lambda name: numbers[name]) if len(numbers) == len(lists) else list(lists)
    return {str(each): rank for rank, name in enumerate(order, 1) for each in lists[name]}


def _items(data: Mapping[str, Any], ranks: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """The list of the task that was ranked: the one whose ids are in the result."""
    for value in data.values():
        items = value if isinstance(value, list) else []
        known = {str(each["id"]) for each in items if isinstance(each, Mapping) and "id" in each}
        if len(known) == len(items) > 0 and known >= ranks.keys():
            return items
    raise FieldError(
        "data", "no list with the ids that were ranked", "a list of objects with id and a picture"
    )


def _prompt(data: Mapping[str, Any]) -> Any:
    for name in _PROMPTS:
        if isinstance(data.get(name), str):
            return data[name]
    texts = [value for value in data.values() if isinstance(value, str)]
    if len(texts) != 1:
        raise FieldError("data", f"{len(texts)} texts", "the prompt, in a field prompt, text or caption")
    return texts[0]


def _picture(item: Mapping[str, Any]) -> str:
    for name in _FIELDS:
        text = item.get(name)
        if not isinstance(text, str) or not text:
            continue
        inside = _IMAGE.search(text[:10_000])
        if inside:
            return _local(unescape(inside[1]))
        if name not in ("html", "body", "title"):
            return _local(text)
    return text_in("id", item["id"])


def _local(address: str) -> str:
    """The name of a picture in the storage of Label Studio: local files below their root, uploads below its media folder."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise FieldError("image", f"no address ({error})", "a picture's address or name") from error
    if not parts.path.startswith("/data/"):
        return address
    if parts.path.startswith("/data/local-files"):
        return parse_qs(parts.query).get("d", [""])[0].lstrip("/")
    return unquote(parts.path.removeprefix("/data/"))


def _seconds(value: Any) -> float | None:
    """What Label Studio measured; a ranking is not left out for a clock that ran wrong."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def _who(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("id")
    return "" if value is None else str(value)[:1000]


FORMAT = Format(
    name="label-studio", title="the JSON export of Label Studio's Ranker", recognise=_recognise, read=_read
)
