"""The three stages of the paper's protocol: what is wrong with the answer to each (PAPER: 2.2, Appendix B).

The rule of the ranking stage as read here: a higher overall rating never stands in a worse slot. Equal ratings may stand in any order,
unequal ones may share a slot, slots may stay empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from ...data.form import FieldError, shown, text_in
from .faults import Fault, numbers
from .keys import (
    CATEGORIES,
    HIGHEST,
    IMAGE_PROBLEMS,
    LOWEST,
    MOST_IN_SLOT,
    MOST_PHRASE,
    MOST_PHRASES,
    PHRASE_KINDS,
    PROMPT_PROBLEMS,
    RATINGS,
    SLOTS,
)


def prompt_faults(answer: Any, prompt: str) -> Iterator[Fault]:
    """What is wrong with ``{"category", "intent_unclear", "problems", "phrases"}``; phrases need not be there.

    Args:
        answer: The answer, whatever it is.
        prompt: The prompt. Phrases count its characters (code points), the end not included.
    """
    answer = {} if answer is None else answer
    if not isinstance(answer, Mapping):
        yield Fault("not_object", values={"where": "prompt", "found": shown(answer)})
        return
    yield from unknown_fields("prompt", answer, ("category", "intent_unclear", "problems", "phrases"))
    category = answer.get("category")
    if category is None:
        yield Fault("category_missing")
    elif not among(category, CATEGORIES):
        yield Fault("category_unknown", values={"found": shown(category)})
    if not isinstance(answer.get("intent_unclear"), bool):
        yield Fault("intent_missing")
    yield from _problem_faults("prompt", answer.get("problems"), PROMPT_PROBLEMS, (), {})
    yield from _phrase_faults(answer.get("phrases", []), len(prompt))


def _phrase_faults(phrases: Any, length: int) -> Iterator[Fault]:
    if not isinstance(phrases, list):
        yield Fault("not_list", values={"where": "prompt.phrases", "found": shown(phrases)})
        return
    if len(phrases) > MOST_PHRASES:
        values = {"where": "prompt.phrases", "count": len(phrases), "most": MOST_PHRASES}
        yield Fault("too_many_phrases", values=values)
        return
    spans: list[tuple[int, int, int]] = []
    for number, phrase in enumerate(phrases, 1):
        if not isinstance(phrase, Mapping) or not all(_whole(phrase.get(end)) for end in ("start", "end")):
            yield Fault("phrase_broken", values={"number": number, "found": shown(phrase)})
            continue
        yield from unknown_fields(f"prompt.phrases[{number - 1}]", phrase, ("start", "end", "kind"))
        start, end = phrase["start"], phrase["end"]
        if not 0 <= start < end <= length:
            values = {"number": number, "start": shown(start), "end": shown(end), "length": length}
            yield Fault("phrase_outside", values=values)
        else:
            spans.append((start, end, number))
        if not among(phrase.get("kind"), PHRASE_KINDS):
            yield Fault("phrase_kind", values={"number": number, "found": shown(phrase.get("kind"))})
    for (start, end, one), (other_start, other_end, two) in combinations(spans, 2):
        if start < other_end and other_start < end:
            yield Fault("phrases_overlap", values={"one": one, "two": two})


def image_faults(answer: Any, images: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with ``{image: {"overall", "alignment", "fidelity", "problems", "missing"}}``; missing phrases need not be there.

    Args:
        answer: The answer, whatever it is.
        images: Ids of all pictures, as shown.
    """
    answer = {} if answer is None else answer
    if not isinstance(answer, Mapping):
        yield Fault("not_object", values={"where": "images", "found": shown(answer)})
        return
    for name in answer:
        if name not in images:
            yield Fault("image_unknown", values={"where": "images", "found": shown(name)})
    for number, image in enumerate(images, 1):
        given = answer.get(image)
        if given is None:
            yield Fault("image_unrated", (image,), {"picture": number})
        elif not isinstance(given, Mapping):
            yield Fault("not_object", (image,), {"where": f"images.{image}", "found": shown(given)})
        else:
            yield from _one_image(given, image, number)


def _one_image(given: Mapping[str, Any], image: str, number: int) -> Iterator[Fault]:
    yield from unknown_fields(f"images.{image}", given, (*RATINGS, "problems", "missing"), (image,))
    for rating in RATINGS:
        value = given.get(rating)
        if value is None:
            yield Fault("rating_missing", (image,), {"picture": number, "rating": rating})
        elif not is_rating(value):
            values = {"picture": number, "rating": rating, "found": shown(value)}
            yield Fault("rating_range", (image,), values)
    yield from _problem_faults("image", given.get("problems"), IMAGE_PROBLEMS, (image,), {"picture": number})
    missing = given.get("missing", [])
    if not isinstance(missing, list):
        yield Fault("not_list", (image,), {"where": f"images.{image}.missing", "found": shown(missing)})
    elif len(missing) > MOST_PHRASES:
        values = {"where": f"images.{image}.missing", "count": len(missing), "most": MOST_PHRASES}
        yield Fault("too_many_phrases", (image,), values)
    else:
        for place, phrase in enumerate(missing, 1):
            if not _is_phrase(phrase):
                found = {"picture": number, "number": place, "found": shown(phrase), "most": MOST_PHRASE}
                yield Fault("missing_phrase", (image,), found)


def ranking_faults(
    answer: Any, images: Sequence[str], overall: Mapping[str, int] | None = None
) -> Iterator[Fault]:
    """What is wrong with five slots, best first, each a list of at most two pictures.

    Args:
        answer: The answer, whatever it is.
        images: Ids of all pictures, as shown.
        overall: The overall ratings that are known, by picture; the order must agree with them.
    """
    if answer is None:
        yield Fault("ranking_missing", tuple(images))
        return
    if not isinstance(answer, list):
        yield Fault("not_list", values={"where": "ranking", "found": shown(answer)})
        return
    if len(answer) != SLOTS:
        yield Fault("slot_count", values={"count": len(answer), "expected": SLOTS})
    number = numbers(images)
    for place, slot in enumerate(answer, 1):
        if isinstance(slot, list) and len(slot) > MOST_IN_SLOT:
            held = tuple(dict.fromkeys(image for image in slot if among(image, images)))
            names = ", ".join(str(number[image]) for image in held)
            yield Fault("slot_full", held, {"slot": place, "count": len(slot), "pictures": names})
    slots: dict[str, int] = {}
    yield from each_once(answer, images, slots)
    known = overall or {}
    for one, two in combinations([image for image in images if image in slots and image in known], 2):
        better, worse = (one, two) if known[one] > known[two] else (two, one)
        if known[better] > known[worse] and slots[better] > slots[worse]:
            yield Fault(
                "order",
                (better, worse),
                {
                    "better": number[better],
                    "worse": number[worse],
                    "better_rating": known[better],
                    "worse_rating": known[worse],
                    "better_slot": slots[better],
                    "worse_slot": slots[worse],
                },
            )


def each_once(answer: list[Any], images: Sequence[str], slots: dict[str, int]) -> Iterator[Fault]:
    """Faults unless every picture stands in the slots exactly once; the slot of each, from 1, is put into ``slots``."""
    number = numbers(images)
    twice: set[str] = set()
    for place, slot in enumerate(answer, 1):
        if not isinstance(slot, list):
            yield Fault("not_list", values={"where": f"ranking, slot {place}", "found": shown(slot)})
            continue
        for image in slot:
            if not among(image, images):
                yield Fault(
                    "image_unknown", values={"where": f"ranking, slot {place}", "found": shown(image)}
                )
            elif image not in slots:
                slots[image] = place
            elif image not in twice:
                twice.add(image)
                yield Fault("ranked_twice", (image,), {"picture": number[image]})
    for image in images:
        if image not in slots:
            yield Fault("left_out", (image,), {"picture": number[image]})


def overall_of(answer: Any, images: Sequence[str]) -> dict[str, int]:
    """The overall ratings that an answer to the rating stage has and that are ratings, by picture."""
    if not isinstance(answer, Mapping):
        return {}
    found: dict[str, int] = {}
    for image in images:
        each = answer.get(image)
        value = each.get("overall") if isinstance(each, Mapping) else None
        if value is not None and is_rating(value):
            found[image] = value
    return found


def is_rating(value: Any) -> bool:
    """Whether a value is a whole number from 1 to 7."""
    return _whole(value) and LOWEST <= value <= HIGHEST


def among(value: Any, keys: Sequence[str]) -> bool:
    """Whether a value is one of some texts; other things may not even be compared with them."""
    return isinstance(value, str) and value in keys


def unknown_fields(
    where: str, answer: Mapping[str, Any], known: Sequence[str], images: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """A fault for every field that is not part of an answer."""
    for name in answer:
        if name not in known:
            yield Fault("unknown_field", images, {"where": where, "found": shown(name)})


def _problem_faults(
    what: str, problems: Any, known: Sequence[str], images: tuple[str, ...], values: Mapping[str, Any]
) -> Iterator[Fault]:
    if problems is None:
        yield Fault(f"{what}_problems_missing", images, values)
        return
    if not isinstance(problems, list):
        yield Fault("not_list", images, {"where": f"{what}.problems", "found": shown(problems)})
        return
    seen: set[str] = set()
    for problem in problems:
        if not among(problem, known):
            yield Fault(f"{what}_problem_unknown", images, {**values, "found": shown(problem)})
        elif problem in seen:
            yield Fault(f"{what}_problem_twice", images, {**values, "found": shown(problem)})
        else:
            seen.add(problem)


def _is_phrase(phrase: Any) -> bool:
    try:
        return bool(text_in("missing", phrase, MOST_PHRASE).strip())
    except FieldError:
        return False


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
