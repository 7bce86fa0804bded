"""Parts that the schemas of all nodes share: types, the category, inputs kept in step, and differences between hosts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from inspect import signature
from typing import Any

from comfy_api.latest import io

CATEGORY = "ImageReward Curator"

SCORER = io.Custom("IMAGEREWARD_SCORER")
SCORES = io.Custom("IMAGEREWARD_SCORES")
SELECTION = io.Custom("IMAGEREWARD_SELECTION")
PARTS = io.Custom("IMAGEREWARD_BLEND_PARTS")

ALL, EACH_PROMPT, EACH_FOLDER = "all pictures", "each prompt", "each folder"
BEST_FIRST, WORST_FIRST, AS_GIVEN = "best first", "worst first", "as given"


def schema(
    node_id: str,
    display_name: str,
    description: str,
    inputs: list[Any],
    outputs: list[Any],
    aliases: Sequence[str] = (),
    **more: Any,
) -> Any:
    """A schema in this pack's category; words to find the node by go only to hosts that know them."""
    if "search_aliases" in io.Schema.__dataclass_fields__:
        more["search_aliases"] = list(aliases)
    return io.Schema(
        node_id=f"ImageRewardCurator{node_id}",
        display_name=display_name,
        category=CATEGORY,
        description=description,
        inputs=inputs,
        outputs=outputs,
        **more,
    )


def entry(kind: Any, name: str, tooltip: str, *, folded: bool = False, **more: Any) -> Any:
    """An input of a node; ``folded`` away by newer hosts."""
    if folded and _folds(kind.Input):
        more["advanced"] = True
    return kind.Input(name, tooltip=tooltip, **more)


@cache
def _folds(kind: type) -> bool:
    return "advanced" in signature(kind).parameters


def output(kind: Any, name: str, tooltip: str, shown: str = "", *, many: bool = False) -> Any:
    """An output of a node, ``shown`` under its id in words by default; ``many`` for a list, whose entries go on one by one."""
    return kind.Output(
        name, display_name=shown or name.replace("_", " "), is_output_list=many, tooltip=tooltip
    )


def dropdown(name: str, options: Sequence[str], tooltip: str, **more: Any) -> Any:
    """A drop-down list, at first at the first of its ``options``."""
    return entry(io.Combo, name, tooltip, options=list(options), default=options[0], **more)


def streams() -> list[Any]:
    """What may travel along with the scores; :func:`stream_outputs` gives it back."""
    named = (
        (io.Image, "images", "The pictures that were scored: a batch, or a list of pictures of any sizes."),
        (
            io.Latent,
            "latents",
            "Latents of the same pictures in the same order; noise masks and batch indexes follow.",
        ),
        (io.Mask, "masks", "Masks of the same pictures in the same order, or one mask for all."),
        (
            io.AnyType,
            "items",
            "Any other list or batch with one entry per picture, for example prompts, seeds, "
            "upscaled copies, or SEGS with one part per picture.",
        ),
    )
    return [entry(kind, name, tooltip, optional=True) for kind, name, tooltip in named]


def stream_outputs(word: str, images: str, shown: str = "") -> list[Any]:
    """The streams behind a node, and their scores; ids begin with ``word``, names in the node with ``shown``."""
    named = (
        (io.Image, "images", images),
        (io.Latent, "latents", "Their latents."),
        (io.Mask, "masks", "Their masks."),
        (io.AnyType, "items", "Their items."),
        (SCORES, "scores", "Their scores, for the next node."),
    )
    return [
        output(kind, f"{word}_{name}", tooltip, f"{shown} {name}".strip(), many=kind is not SCORES)
        for kind, name, tooltip in named
    ]


def changed_pictures() -> Any:
    """Whether pictures may differ from those that were scored."""
    return entry(
        io.Boolean,
        "changed_pictures",
        "Normally pictures that are not the ones the scores belong to are refused, so that scores never end up on the wrong "
        "picture. Switch on if these are the scored pictures in the same order, but upscaled, retouched or otherwise changed.",
        default=False,
        label_on="only counted",
        label_off="refused",
        folded=True,
    )
