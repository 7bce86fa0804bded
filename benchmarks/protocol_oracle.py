"""Whether a document keeps the protocol, written once more from the paper's words alone: slow, and without any of the checked code."""

from __future__ import annotations

import itertools

TWELVE = set(
    "abstract animals artifacts arts food illustrations indoor_scenes outdoor_scenes people plants vehicles world_knowledge".split()
)
OF_PROMPT = {"sexual", "violent", "defames_group", "personal_information"}
OF_IMAGE = {"repetition", "body", "blurry", "discomfort", "sexual", "violent", "defames_group"}


def is_list_of(value, allowed):
    return (
        type(value) is list
        and all(type(each) is str and each in allowed for each in value)
        and all(value.count(each) == 1 for each in value)
    )


def prompt_is_answered(answer, prompt):
    if type(answer) is not dict or set(answer) - {"category", "intent_unclear", "problems", "phrases"}:
        return False
    if type(answer.get("category")) is not str or answer["category"] not in TWELVE:
        return False
    if answer.get("intent_unclear") not in (True, False) or type(answer["intent_unclear"]) is not bool:
        return False
    if not is_list_of(answer.get("problems"), OF_PROMPT):
        return False
    phrases = answer.get("phrases", [])
    if type(phrases) is not list or len(phrases) > 50:
        return False
    marked = [0] * len(prompt)
    for phrase in phrases:
        if type(phrase) is not dict or set(phrase) != {"start", "end", "kind"}:
            return False
        start, end = phrase["start"], phrase["end"]
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(prompt):
            return False
        if phrase["kind"] not in ("content", "style", "function"):
            return False
        for place in range(start, end):
            marked[place] += 1
    return all(count <= 1 for count in marked)


def image_is_rated(answer):
    if type(answer) is not dict or set(answer) - {"overall", "alignment", "fidelity", "problems", "missing"}:
        return False
    for rating in ("overall", "alignment", "fidelity"):
        if type(answer.get(rating)) is not int or answer[rating] not in range(1, 8):
            return False
    missing = answer.get("missing", [])
    if type(missing) is not list or len(missing) > 50:
        return False
    for phrase in missing:
        if type(phrase) is not str or not phrase.strip() or len(phrase) > 1000:
            return False
        if any(0xD800 <= ord(letter) <= 0xDFFF for letter in phrase):
            return False
    return is_list_of(answer.get("problems"), OF_IMAGE)


def keeps_the_protocol(document, prompt, images):
    if type(document) is not dict or set(document) != {"prompt", "images", "ranking"}:
        return False
    if not prompt_is_answered(document["prompt"], prompt):
        return False
    rated, slots = document["images"], document["ranking"]
    if type(rated) is not dict or set(rated) != set(images) or not all(map(image_is_rated, rated.values())):
        return False
    if type(slots) is not list or len(slots) != 5 or any(type(slot) is not list for slot in slots):
        return False
    if any(len(slot) > 2 for slot in slots):
        return False
    flat = list(itertools.chain.from_iterable(slots))
    if any(type(each) is not str for each in flat) or sorted(flat) != sorted(images):
        return False
    for better, worse in itertools.combinations(range(5), 2):
        for one, two in itertools.product(slots[better], slots[worse]):
            if rated[one]["overall"] < rated[two]["overall"]:
                return False
    return True


def keeps_best_and_worst(document, images):
    return (
        type(document) is dict
        and set(document) == {"best", "worst"}
        and all(type(each) is str and each in images for each in document.values())
        and document["best"] != document["worst"]
    )


def keeps_the_order(document, images):
    if type(document) is not dict or set(document) != {"ranking"} or type(document["ranking"]) is not list:
        return False
    slots = document["ranking"]
    if len(slots) > max(9, len(images)) or any(type(slot) is not list for slot in slots):
        return False
    flat = list(itertools.chain.from_iterable(slots))
    return all(type(each) is str for each in flat) and sorted(flat) == sorted(images)


def keeps_the_question(document, images):
    return (
        type(document) is dict
        and set(document) == {"winner"}
        and (document["winner"] is None or (type(document["winner"]) is str and document["winner"] in images))
    )
