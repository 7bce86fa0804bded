"""Documents as pages, and as damaged pages and strangers, send them: most a step or two away from one that keeps the protocol."""

from __future__ import annotations

import copy
from typing import Any

from imagereward_lab.annotation.protocol.keys import CATEGORIES, IMAGE_PROBLEMS, PROMPT_PROBLEMS

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    7,
    8,
    -1,
    10**40,
    4.0,
    float("nan"),
    "",
    "a",
    " ",
    "\ud800",
    [],
    {},
    ["a"],
    {"a": 1},
    [[]],
    "x" * 1001,
)


def document(rng, prompt, images):
    """A document whose parts each keep the protocol mostly; its ranking follows the ratings, or not."""
    overall = {image: rng.randint(1, 7) for image in images}
    order = list(images)
    rng.shuffle(order)
    if rng.random() < 0.8:
        order.sort(key=lambda image: -overall[image])
    slots: list[list[str]] = [[] for _ in range(5)]
    free = max(0, 2 * 5 - len(images))
    places = sorted(rng.sample(range(10), len(order))) if free or len(order) <= 10 else []
    for image, place in zip(order, places):
        slots[place // 2].append(image)
    cuts = sorted(rng.sample(range(len(prompt) + 1), min(4, len(prompt) + 1)))
    phrases = [
        {"start": start, "end": end, "kind": rng.choice(("content", "style", "function"))}
        for start, end in zip(cuts[::2], cuts[1::2])
    ]
    return {
        "prompt": {
            "category": rng.choice(CATEGORIES),
            "intent_unclear": rng.random() < 0.5,
            "problems": rng.sample(PROMPT_PROBLEMS, rng.randint(0, 2)),
            "phrases": phrases,
        },
        "images": {
            image: {
                "overall": overall[image],
                "alignment": rng.randint(1, 7),
                "fidelity": rng.randint(1, 7),
                "problems": rng.sample(IMAGE_PROBLEMS, rng.randint(0, 2)),
                "missing": ["a star"] if rng.random() < 0.2 else [],
            }
            for image in images
        },
        "ranking": slots,
    }


def somewhere(rng, value):
    """A place in a document: the container, and the key or index in it; None for the whole."""
    found = None
    while isinstance(value, (dict, list)) and value and (found is None or rng.random() < 0.75):
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        found = value, key
        value = value[key]
    return found


def damaged(rng, whole, images):
    """The document, itself changed: something in it replaced, gone, twice or elsewhere; rarely something else altogether."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.005:
            return rng.choice(ODD)
        found = somewhere(rng, whole)
        if found is None:
            continue
        (home, last), what = found, rng.random()
        if what < 0.35:
            home[last] = copy.copy(rng.choice(ODD))
        elif what < 0.5:
            home[last] = rng.choice(rng.choice((images, CATEGORIES, IMAGE_PROBLEMS, range(9))))
        elif what < 0.65:
            del home[last]
        elif what < 0.8 and isinstance(home, list):
            home.insert(rng.randint(0, len(home)), home[last])
        elif isinstance(home, list):
            home.append(home.pop(last))
        else:
            home[rng.choice(("extra", "overall", "category", images[0]))] = copy.deepcopy(home[last])
    return whole


def small_document(rng, mode, images):
    """A document of one of the modes beside the protocol."""
    if mode == "best-worst":
        best, worst = rng.sample(images, 2)
        return {"best": best, "worst": worst}
    if mode == "quick":
        return {"winner": rng.choice([None, *images])}
    slots: list[list[str]] = [[] for _ in range(rng.randint(1, len(images)))]
    for image in rng.sample(images, len(images)):
        rng.choice(slots).append(image)
    return {"ranking": slots}
