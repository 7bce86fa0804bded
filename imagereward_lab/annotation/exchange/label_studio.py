"""Rankings as Label Studio's JSON, with all that was said; :mod:`...data.readers.label_studio` reads it back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from imagereward_core.plain import encodable
from imagereward_core.report.replace import replacing

from ...data.ranking import Ranking
from ..protocol.keys import CATEGORIES, HIGHEST, IMAGE_PROBLEMS, PHRASE_KINDS, PROMPT_PROBLEMS, RATINGS, SLOTS


def write_label_studio(path: Path, rankings: Iterable[Ranking], *, overwrite: bool = False) -> int:
    """Writes tasks with their annotations, as the command "import" of Label Studio takes them; returns how many annotations there are.

    Raises:
        OutputFileError: There is a file already that must stay.
        OSError: The file cannot be written.
    """
    tasks: dict[str, tuple[Ranking, list[Ranking]]] = {}
    for ranking in rankings:
        key = str(ranking.extra.get("task", ranking.id))
        # Who was shown other pictures of the same task, as in quick mode, has a task of their own here.
        whole = json.dumps([key, list(ranking.images)])
        tasks.setdefault(whole, (ranking, []))[1].append(ranking)
    numbers = count(1)
    content = [
        {**_task(first, place), "annotations": [_annotation(each, next(numbers)) for each in every]}
        for place, (first, every) in enumerate(tasks.values(), 1)
    ]
    text = json.dumps(encodable(content), ensure_ascii=False, allow_nan=False, indent=1)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    return next(numbers) - 1


def _task(ranking: Ranking, number: int) -> dict[str, Any]:
    data: dict[str, Any] = {"prompt": ranking.prompt}
    data["images"] = [
        {
            "id": name,
            "title": f"picture {place}",
            "html": f'<img src="{escape("/data/local-files/?d=" + quote(name), quote=True)}">',
        }
        for place, name in enumerate(ranking.images, 1)
    ]
    for name in ("task", "mode", "test"):
        if name in ranking.extra:
            data[name] = ranking.extra[name]
    if ranking.sources:
        data["sources"] = list(ranking.sources)
    return {"id": number, "data": data}


def _annotation(ranking: Ranking, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {"id": number, "completed_by": {"email": ranking.annotator}}
    if ranking.seconds is not None:
        found["lead_time"] = ranking.seconds
    if "role" in ranking.extra:
        found["role"] = ranking.extra["role"]
    found["result"] = [{"id": f"{number}-{place}", **each} for place, each in enumerate(_results(ranking), 1)]
    return found


def _results(ranking: Ranking) -> Iterator[dict[str, Any]]:
    if ranking.category:
        yield _said("category", "prompt", "choices", {"choices": [ranking.category]})
    if ranking.intent_unclear is not None:
        chosen = "unclear" if ranking.intent_unclear else "clear"
        yield _said("intent", "prompt", "choices", {"choices": [chosen]})
        yield _said("prompt_problems", "prompt", "choices", {"choices": list(ranking.prompt_problems)})
    for phrase in ranking.phrases:
        value = {
            "start": phrase.start,
            "end": phrase.end,
            "text": ranking.prompt[phrase.start : phrase.end],
            "labels": [phrase.kind],
        }
        yield _said("phrases", "prompt", "labels", value)
    missing = ranking.extra.get("missing") or [()] * len(ranking.images)
    for place in range(len(ranking.images)):
        image = f"image_{place}"
        for name, rating in (ranking.ratings[place] if ranking.ratings else {}).items():
            yield _said(f"{name}_{place}", image, "rating", {"rating": rating})
        if ranking.problems:
            yield _said(f"problems_{place}", image, "choices", {"choices": list(ranking.problems[place])})
        if missing[place]:
            yield _said(f"missing_{place}", image, "textarea", {"text": list(missing[place])})
    for name in ("best", "worst"):
        chosen_place = getattr(ranking, name)
        if chosen_place is not None:
            yield _said(name, "images", "choices", {"choices": [ranking.images[chosen_place]]})
    if ranking.ranks:
        yield _said("ranking", "images", "ranker", {"ranker": {"ranking": _buckets(ranking)}})


def _buckets(ranking: Ranking) -> dict[str, list[str]]:
    # A single bucket would be read as an order without ties.
    last = max(SLOTS if ranking.ratings else 2, *ranking.ranks)
    found = {
        _bucket(rank, last): [name for name, each in zip(ranking.images, ranking.ranks) if each == rank]
        for rank in range(1, last + 1)
    }
    return {**found, "_": [name for name, each in zip(ranking.images, ranking.ranks) if not each]}


def _bucket(rank: int, last: int) -> str:
    return f"{rank} best" if rank == 1 else f"{rank} worst" if rank == last else str(rank)


def _said(name: str, of: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": of, "type": kind, "value": value}


def label_config() -> str:
    """The labelling interface of a Label Studio project that asks what the protocol asks; its limits on slots it cannot say."""
    lines = [
        "<View>",
        '  <Labels name="phrases" toName="prompt">',
        *_values("Label", PHRASE_KINDS),
        "  </Labels>",
        '  <Text name="prompt" value="$prompt"/>',
        *_choices("category", "prompt", CATEGORIES, "single"),
        *_choices("intent", "prompt", ("clear", "unclear"), "single"),
        *_choices("prompt_problems", "prompt", PROMPT_PROBLEMS, "multiple"),
        '  <Repeater on="$images" indexFlag="{{idx}}">',
        '    <HyperText name="image_{{idx}}" value="$images[{{idx}}].html"/>',
        *(
            f'    <Rating name="{name}_{{{{idx}}}}" toName="image_{{{{idx}}}}" maxRating="{HIGHEST}"/>'
            for name in RATINGS
        ),
        *_choices("problems_{{idx}}", "image_{{idx}}", IMAGE_PROBLEMS, "multiple"),
        '    <TextArea name="missing_{{idx}}" toName="image_{{idx}}"/>',
        "  </Repeater>",
        '  <List name="images" value="$images"/>',
        '  <Ranker name="ranking" toName="images">',
        *(
            f'    <Bucket name="{_bucket(rank, SLOTS)}"{" default" + chr(61) + chr(34) + "true" + chr(34) if rank == 3 else ""}/>'
            for rank in range(1, SLOTS + 1)
        ),
        "  </Ranker>",
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def _choices(name: str, of: str, keys: Sequence[str], choice: str) -> list[str]:
    return [
        f'  <Choices name="{name}" toName="{of}" choice="{choice}">',
        *_values("Choice", keys),
        "  </Choices>",
    ]


def _values(tag: str, keys: Sequence[str]) -> list[str]:
    return [f'    <{tag} value="{key}"/>' for key in keys]
