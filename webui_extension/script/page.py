"""Shows the best first on the page. Only what the page is sent is reordered; whoever else reads a result finds it as the host made it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from ..door import guard
from .ordering import Place, arranged

TABS = ("txt2img", "img2img")
_PLACE = "_imagereward_place"
"""On an image of a result; copies do not have it."""


def remember(image: Any, place: Place) -> None:
    """Notes where an image of a result belongs in the page's gallery."""
    setattr(image, _PLACE, place)


def forget(image: Any) -> None:
    """Takes the note off again."""
    vars(image).pop(_PLACE, None)


def on_app_started(demo: Any, app: Any = None) -> None:
    """The host's callback: stands around what fills the galleries of both tabs."""
    fns = getattr(demo, "fns", ())
    for function in fns.values() if isinstance(fns, dict) else fns:
        for tab in TABS:
            places = _places(function.outputs, tab)
            if function.fn is not None and places is not None:
                function.fn = _ordered(function.fn, places)


def _places(outputs: Iterable[Any], tab: str) -> tuple[int, int, int | None] | None:
    """Where among its outputs a function of the page has a tab's gallery, the data about it, and the infotext in sight."""
    ids = [getattr(each, "elem_id", None) for each in outputs or ()]
    gallery, told, infotext = f"{tab}_gallery", f"generation_info_{tab}", f"html_info_{tab}"
    if gallery not in ids or told not in ids:
        return None
    return ids.index(gallery), ids.index(told), ids.index(infotext) if infotext in ids else None


def _ordered(function: Callable[..., Any], places: tuple[int, int, int | None]) -> Callable[..., Any]:
    """``function``, except that the page gets the best first.

    The signature stays in sight: the page passes a request to whoever asks for one.
    """

    @wraps(function)
    def ordered(*arguments: Any, **named: Any) -> Any:
        outputs = function(*arguments, **named)
        return guard(in_order, "putting a gallery in order", outputs)(outputs, places)

    return ordered


def in_order(outputs: Any, places: tuple[int, int, int | None]) -> Any:
    """The result as the page is sent it, the best first; as it is, where there is nothing of ours in it."""
    gallery, told, infotext = places
    if not isinstance(outputs, (list, tuple)) or len(outputs) <= max(gallery, told):
        return outputs
    value = outputs[gallery]
    images = value.get("value") if isinstance(value, dict) else value
    if not isinstance(images, (list, tuple)) or not isinstance(outputs[told], str):
        return outputs
    entries = [(image, getattr(image, _PLACE, None)) for image in images]
    if not any(place is not None for _, place in entries):
        return outputs
    before = json.loads(outputs[told])
    found = arranged(entries, before)
    if found is None:
        return outputs
    changed = list(outputs)
    changed[gallery] = {**value, "value": found.images} if isinstance(value, dict) else found.images
    changed[told] = json.dumps(found.told, default=lambda _: None, ensure_ascii=False)
    if infotext is not None:
        changed[infotext] = _infotext(outputs[infotext], before["infotexts"], found.told["infotexts"])
    return tuple(changed) if isinstance(outputs, tuple) else changed


def _infotext(shown: Any, before: Sequence[str], now: Sequence[str]) -> Any:
    """The infotext in sight: that of the first image, where it was so before."""
    from modules.ui_common import plaintext_to_html

    if not before or not now or shown != plaintext_to_html(before[0]):
        return shown
    return plaintext_to_html(now[0])
