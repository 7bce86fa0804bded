"""What an annotation of Label Studio says beside a ranking, by the names of its controls.

Controls of pictures end with the picture's place from 0, as ``<Repeater indexFlag="{{idx}}">`` makes them: ``overall_0``, ``alignment_0``,
``fidelity_0`` (Rating), ``problems_0`` (Choices), ``missing_0`` (TextArea). Those of the prompt are ``category``, ``intent`` (``clear``
or ``unclear``), ``prompt_problems`` (Choices) and ``phrases`` (Labels ``content``, ``style``, ``function``). ``best`` and ``worst`` are
Choices with the id of a picture. Other controls are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

RATINGS = ("overall", "alignment", "fidelity")
_OF_IMAGE = re.compile(r"(overall|alignment|fidelity|problems|missing)_(\d{1,4})")


def more_of(results: Iterable[Any], ids: list[str]) -> dict[str, Any]:
    """Fields of the ranking beside its ranks, in the documented form but unchecked; ``missing`` is one of the further ones.

    Args:
        results: The results of one annotation.
        ids: Ids of the pictures, in their order.
    """
    count = len(ids)
    ratings: list[dict[str, Any]] = [{} for _ in range(count)]
    lists: dict[str, list[list[Any]]] = {name: [[] for _ in range(count)] for name in ("problems", "missing")}
    found: dict[str, Any] = {}
    phrases: list[dict[str, Any]] = []
    for result in results:
        value = result.get("value") if isinstance(result, Mapping) else None
        name = result.get("from_name") if isinstance(result, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(name, str):
            continue
        of_image = _OF_IMAGE.fullmatch(name)
        if of_image and int(of_image[2]) < count:
            kind, place = of_image[1], int(of_image[2])
            if kind in RATINGS:
                ratings[place][kind] = value.get("rating")
            else:
                lists[kind][place] = _texts(value)
                found.setdefault(kind, lists[kind])
        elif name in ("best", "worst"):
            chosen = _texts(value)
            if len(chosen) == 1 and chosen[0] in ids:
                found[name] = ids.index(chosen[0])
        elif name == "category":
            found["category"] = next(iter(_texts(value)), None)
        elif name == "intent":
            found["intent_unclear"] = {"unclear": True, "clear": False}.get(next(iter(_texts(value)), ""))
        elif name == "prompt_problems":
            found["prompt_problems"] = _texts(value)
        elif name == "phrases" and isinstance(value.get("labels"), list) and value["labels"]:
            phrases.append({"start": value.get("start"), "end": value.get("end"), "kind": value["labels"][0]})
    if any(ratings):
        found["ratings"] = ratings
    if phrases:
        found["phrases"] = phrases
    return found


def _texts(value: Mapping[str, Any]) -> list[str]:
    given = value.get("choices", value.get("text"))
    if isinstance(given, str):
        return [given]
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
