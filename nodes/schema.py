"""Parts that the schemas of all nodes share: types, the category, inputs kept in step, and differences between hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def advanced(kind: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """An input that newer hosts fold away."""
    if "advanced" in signature(kind).parameters:
        named["advanced"] = True
    return kind(*arguments, **named)


def streams() -> list[Any]:
    """What may travel along with the scores."""
    return [
        io.Image.Input(
            "images",
            optional=True,
            tooltip="The pictures that were scored: a batch, or a list of pictures of any sizes.",
        ),
        io.Latent.Input(
            "latents",
            optional=True,
            tooltip="Latents of the same pictures in the same order; noise masks and batch indexes follow.",
        ),
        io.Mask.Input(
            "masks",
            optional=True,
            tooltip="Masks of the same pictures in the same order, or one mask for all.",
        ),
        io.AnyType.Input(
            "items",
            optional=True,
            tooltip="Any other list or batch with one entry per picture, for example prompts, seeds, "
            "upscaled copies, or SEGS with one part per picture.",
        ),
    ]


def changed_pictures() -> Any:
    """Whether pictures may differ from those that were scored."""
    return advanced(
        io.Boolean.Input,
        "changed_pictures",
        default=False,
        label_on="only counted",
        label_off="refused",
        tooltip=(
            "Normally pictures that are not the ones the scores belong to are refused, so that scores never end up on the wrong "
            "picture. Switch on if these are the scored pictures in the same order, but upscaled, retouched or otherwise changed."
        ),
    )
