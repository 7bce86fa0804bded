"""What is asked in each mode, and what is wrong with an answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...data.form import shown
from .faults import Fault, numbers
from .keys import (
    BEST_WORST,
    LEAST_IMAGES,
    MOST_IMAGES,
    PER_GENERATOR,
    PROTOCOL,
    QUICK,
    STAGES,
    TOP_PICKS,
)
from .stages import (
    among,
    each_once,
    image_faults,
    overall_of,
    prompt_faults,
    ranking_faults,
    unknown_fields,
)

_Check = Callable[[Mapping[str, Any], str, Sequence[str]], Iterator[Fault]]


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A way to ask.

    Attributes:
        name: Its key.
        help: What it is for, in one line.
        fields: Of the document of an answer.
        least: Pictures of one task, at least.
        most: And at most.
        check: What is wrong with a document that is an object.
        guide: What people read about how to judge, in parts; their texts lie in ``pages/document``.
        sources_hidden: Whether what made or picked each picture is kept, and not shown.
    """

    name: str
    help: str
    fields: tuple[str, ...]
    least: int
    most: int
    check: _Check
    guide: tuple[str, ...]
    sources_hidden: bool = False


def faults_of(mode: str, document: Any, prompt: str, images: Sequence[str], stage: str = "") -> list[Fault]:
    """Everything that is wrong with an answer; it is taken where nothing is.

    Args:
        mode: A key of ``MODES``.
        document: The answer, whatever it is: it comes from a stranger's browser or file.
        prompt: The prompt of the task.
        images: Ids of the task's pictures, as shown.
        stage: One stage of the protocol to look at alone, while the others are still to come; empty for all.

    >>> [fault.message for fault in faults_of("best-worst", {"best": "a", "worst": "a"}, "a fox", ["a", "b"])]
    ['Picture 1 is chosen as both the best and the worst. Choose two different ones.']
    """
    if not isinstance(document, Mapping):
        return [Fault("not_object", values={"where": "the answer", "found": shown(document)})]
    if stage and mode == PROTOCOL:
        return list(_STAGE[stage](document, prompt, images))
    each = MODES[mode]
    faults = list(unknown_fields("the answer", document, each.fields))
    return faults + list(each.check(document, prompt, images))


def _ranking_stage(document: Mapping[str, Any], prompt: str, images: Sequence[str]) -> Iterator[Fault]:
    return ranking_faults(document.get("ranking"), images, overall_of(document.get("images"), images))


_STAGE: Mapping[str, _Check] = {
    "prompt": lambda document, prompt, images: prompt_faults(document.get("prompt"), prompt),
    "images": lambda document, prompt, images: image_faults(document.get("images"), images),
    "ranking": _ranking_stage,
}


def _protocol(document: Mapping[str, Any], prompt: str, images: Sequence[str]) -> Iterator[Fault]:
    for stage in STAGES:
        yield from _STAGE[stage](document, prompt, images)


def _best_worst(document: Mapping[str, Any], prompt: str, images: Sequence[str]) -> Iterator[Fault]:
    found = {}
    for name in ("best", "worst"):
        value = document.get(name)
        if value is None:
            yield Fault(f"{name}_missing")
        elif not among(value, images):
            yield Fault("image_unknown", values={"where": name, "found": shown(value)})
        else:
            found[name] = value
    if len(found) == 2 and found["best"] == found["worst"]:
        yield Fault("best_is_worst", (found["best"],), {"picture": numbers(images)[found["best"]]})


def _order(document: Mapping[str, Any], prompt: str, images: Sequence[str]) -> Iterator[Fault]:
    """Any number of slots with any number of pictures; at most as many as there are pictures can hold one."""
    answer = document.get("ranking")
    if answer is None:
        yield Fault("ranking_missing", tuple(images))
    elif not isinstance(answer, list):
        yield Fault("not_list", values={"where": "ranking", "found": shown(answer)})
    elif len(answer) > max(len(images), MOST_IMAGES):
        yield Fault(
            "slot_count",
            values={"count": len(answer), "expected": f"at most {max(len(images), MOST_IMAGES)}"},
        )
    else:
        yield from each_once(answer, images, {})


def _choice(document: Mapping[str, Any], prompt: str, images: Sequence[str]) -> Iterator[Fault]:
    if "winner" not in document:
        yield Fault("winner_missing", tuple(images))
    elif document["winner"] is not None and not among(document["winner"], images):
        yield Fault("image_unknown", values={"where": "winner", "found": shown(document["winner"])})


MODES: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            name=PROTOCOL,
            help="the paper's protocol: about the prompt, ratings of each picture, and a ranking into five slots",
            fields=STAGES,
            least=LEAST_IMAGES,
            most=MOST_IMAGES,
            check=_protocol,
            guide=("protocol", "team"),
        ),
        Mode(
            name=BEST_WORST,
            help="the best and the worst picture of a prompt, for recall and filter",
            fields=("best", "worst"),
            least=2,
            most=64,
            check=_best_worst,
            guide=("best-worst", "balance", "team"),
        ),
        Mode(
            name=TOP_PICKS,
            help="the top picks of several scorers in one pool, ranked without knowing whose they are, for win rates",
            fields=("ranking",),
            least=2,
            most=64,
            check=_order,
            guide=("order", "balance", "team"),
            sources_hidden=True,
        ),
        Mode(
            name=PER_GENERATOR,
            help="one picture of each generator, ranked without knowing whose they are",
            fields=("ranking",),
            least=2,
            most=64,
            check=_order,
            guide=("order", "balance", "team"),
            sources_hidden=True,
        ),
        Mode(
            name=QUICK,
            help="two to four pictures side by side, one key to choose; the next question is the one that tells most",
            fields=("winner",),
            least=2,
            most=4,
            check=_choice,
            guide=("quick", "balance"),
        ),
    )
}
"""By name."""
