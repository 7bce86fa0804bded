"""The documented form of a ranking as JSON: from an object to a :class:`.Ranking` and back.

``schema/ranking.schema.json`` says the same for other programs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from .ranking import PHRASE_KINDS, Phrase, Ranking, RankingError

MOST_IMAGES = 1000
MOST_PROMPT = 100_000
MOST_TEXT = 4096
MOST_RANK = 10**6
_HALF = re.compile("[\ud800-\udfff]")


class FieldError(RankingError):
    """A field of a ranking is not what it should be.

    Args:
        field: Where in the object, such as ``ranks[2]``.
        found: What stands there.
        expected: What should.
    """

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(f"{field}: found {found}; expected {expected}")
        self.field, self.found, self.expected = field, found, expected


def ranking_of(data: Any) -> Ranking:
    """The ranking that an object in the documented form says. Fields this version does not know are kept as they are.

    >>> ranking_of({"prompt": "a fox", "images": ["a.png", "b.png"], "ranks": [2, 1]}).pairs
    [(1, 0)]

    Raises:
        FieldError: The first field that is not in the form.
    """
    if not isinstance(data, Mapping):
        raise FieldError("the ranking", shown(data), "an object with the fields prompt and images")
    given = {name: value for name, value in data.items() if value is not None}
    for name in ("prompt", "images"):
        if name not in given:
            raise FieldError(name, "nothing", "a text" if name == "prompt" else "a list of names of pictures")
    known = {name: read(name, given.pop(name)) for name, read in _FIELDS.items() if name in given}
    ranking = Ranking(**known, extra=_extra(given))
    check(ranking)
    return ranking


def check(ranking: Ranking) -> None:
    """Makes sure that the fields of a ranking fit one another.

    Raises:
        FieldError: The first that does not.
    """
    count = len(ranking.images)
    for name in ("ranks", "ratings", "problems", "sources"):
        value = getattr(ranking, name)
        if value and len(value) != count:
            raise FieldError(name, f"{len(value)}", f"{count}, one for each of images")
    for name in ("best", "worst"):
        place = getattr(ranking, name)
        if place is not None and not 0 <= place < count:
            raise FieldError(name, str(place), f"the place of a picture in images, 0 to {count - 1}")
    if ranking.best is not None and ranking.best == ranking.worst:
        raise FieldError("worst", f"the picture that is best too ({ranking.best})", "another one")
    _check_phrases(ranking)


def _check_phrases(ranking: Ranking) -> None:
    before = 0
    for place, phrase in sorted(enumerate(ranking.phrases), key=lambda each: each[1].start):
        where = f"phrases[{place}]"
        if not phrase.start < phrase.end <= len(ranking.prompt):
            raise FieldError(
                where,
                f"characters {phrase.start} to {phrase.end}",
                f"a start before its end, within the prompt's {len(ranking.prompt):,} characters, counted from 0",
            )
        if phrase.start < before:
            raise FieldError(where, "a phrase that overlaps another one", "phrases beside one another")
        text = ranking.prompt[phrase.start : phrase.end]
        if phrase.text and phrase.text != text:
            raise FieldError(
                f"{where}.text",
                shown(phrase.text),
                f"{shown(text)}, which stands there in the prompt; start and end count characters, not bytes",
            )
        before = phrase.end


def object_of(ranking: Ranking) -> dict[str, Any]:
    """The object for a ranking; fields that say nothing are left out. ``ranking_of(object_of(r)) == r``."""
    data: dict[str, Any] = {"prompt": ranking.prompt, "images": list(ranking.images)}
    for name in _FIELDS:
        value = getattr(ranking, name)
        if name not in data and value != _UNSAID[name]:
            data[name] = _plain(value)
    if ranking.phrases:
        data["phrases"] = [_object_of_phrase(ranking.prompt, each) for each in ranking.phrases]
    return {**{name: value for name, value in ranking.extra.items() if name not in _FIELDS}, **data}


def _object_of_phrase(prompt: str, phrase: Phrase) -> dict[str, Any]:
    text = prompt[phrase.start : phrase.end]
    return {"text": text, "start": phrase.start, "end": phrase.end, "kind": phrase.kind}


def shown(value: Any) -> str:
    """A value of a stranger's in a message, short.

    >>> shown("a" * 100), shown([1, 2]), shown(None), shown(True)
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'", 'a list', 'nothing', 'true')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    text = str(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of many digits"
    return text[:40]


def text_in(field: str, value: Any, most: int = MOST_TEXT, least: int = 0) -> str:
    """A text.

    Raises:
        FieldError: It is none, is too long or too short, or holds half of a character, which no file and no tokenizer takes.
    """
    if not isinstance(value, str):
        raise FieldError(field, shown(value), "a text")
    if not least <= len(value) <= most:
        raise FieldError(field, f"{len(value):,} characters", f"{least} to {most:,}")
    if _HALF.search(value):
        raise FieldError(
            field,
            "half of a character, or text that is not UTF-8",
            "whole characters; save the file as UTF-8",
        )
    return value


def whole_in(field: str, value: Any, most: int = MOST_RANK, least: int = 0) -> int:
    """A whole number; 2.0 is one.

    Raises:
        FieldError: It is none, or out of range.
    """
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FieldError(field, shown(value), f"a whole number, {least} to {most:,}")
    return value


def number_in(field: str, value: Any) -> float:
    """A number.

    Raises:
        FieldError: It is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError(field, shown(value), "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FieldError(field, shown(value), "a finite number")
    return number


def list_in(
    field: str, value: Any, each: Callable[[str, Any], Any], least: int = 0, most: int = MOST_IMAGES
) -> tuple:
    """A list, each thing in it read by ``each``.

    Raises:
        FieldError: It is none, is too long or too short, or something in it is wrong.
    """
    if not isinstance(value, (list, tuple)):
        raise FieldError(field, shown(value), "a list")
    if not least <= len(value) <= most:
        raise FieldError(field, f"{len(value):,}", f"{least} to {most:,}")
    return tuple(each(f"{field}[{place}]", thing) for place, thing in enumerate(value))


def _ratings(field: str, value: Any) -> Mapping[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FieldError(field, shown(value), 'an object such as {"overall": 5}')
    if len(value) > MOST_IMAGES:
        raise FieldError(field, f"{len(value):,} ratings", f"at most {MOST_IMAGES:,}")
    return {
        text_in(f"a name in {field}", name): number_in(f"{field}.{name}", rating)
        for name, rating in value.items()
    }


def _problems(field: str, value: Any) -> tuple[str, ...]:
    return list_in(field, value, text_in)


def _flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldError(field, shown(value), "true or false")
    return value


def _name(field: str, value: Any) -> str:
    return text_in(field, value, least=1)


def _phrase(field: str, value: Any) -> Phrase:
    if not isinstance(value, Mapping):
        raise FieldError(field, shown(value), 'an object such as {"start": 0, "end": 2, "kind": "function"}')
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in PHRASE_KINDS:
        raise FieldError(f"{field}.kind", shown(kind), f"one of {', '.join(PHRASE_KINDS)}")
    start, end = (whole_in(f"{field}.{name}", value.get(name), MOST_PROMPT) for name in ("start", "end"))
    text = value.get("text")
    return Phrase(start, end, kind, "" if text is None else text_in(f"{field}.text", text, MOST_PROMPT))


def _seconds(field: str, value: Any) -> float:
    number = number_in(field, value)
    if number < 0:
        raise FieldError(field, f"{number:g}", "0 or more")
    return number


_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "id": text_in,
    "prompt": lambda field, value: text_in(field, value, MOST_PROMPT),
    "images": lambda field, value: list_in(field, value, _name, least=1),
    "ranks": lambda field, value: list_in(field, value, whole_in),
    "best": lambda field, value: whole_in(field, value, MOST_IMAGES),
    "worst": lambda field, value: whole_in(field, value, MOST_IMAGES),
    "partial": _flag,
    "coarse": _flag,
    "annotator": text_in,
    "ratings": lambda field, value: list_in(field, value, _ratings),
    "problems": lambda field, value: list_in(field, value, _problems),
    "category": text_in,
    "split": text_in,
    "sources": lambda field, value: list_in(field, value, text_in),
    "intent_unclear": _flag,
    "prompt_problems": _problems,
    "phrases": lambda field, value: list_in(field, value, _phrase),
    "seconds": _seconds,
}
_UNSAID = {each.name: each.default for each in fields(Ranking)}
"""The value of every field that says nothing."""


def _extra(rest: Mapping[str, Any]) -> dict[str, Any]:
    for name in rest:
        text_in("the name of a field", name)
    return dict(rest)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
