"""Sort by Score and Pick Best."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..imagereward_core.scores import Scores, Within
from ..imagereward_core.selection import Rule, select
from .carried import Carried
from .host.errors import GraphError, choice
from .host.outputs import listed, one
from .inputs import WITHIN, meant, within_input
from .links import ScoredBatch, one_scored
from .schema import (
    ALL,
    BEST_FIRST,
    SCORES,
    WORST_FIRST,
    changed_pictures,
    schema,
    streams,
)

ORDERS = (BEST_FIRST, WORST_FIRST)


def _outputs(word: str, what: str) -> list[Any]:
    return [
        io.Image.Output(
            f"{word}_images",
            display_name="images",
            is_output_list=True,
            tooltip=f"{what}: a batch if one came in, else a list.",
        ),
        io.Latent.Output(
            f"{word}_latents", display_name="latents", is_output_list=True, tooltip="Their latents."
        ),
        io.Mask.Output(f"{word}_masks", display_name="masks", is_output_list=True, tooltip="Their masks."),
        io.AnyType.Output(f"{word}_items", display_name="items", is_output_list=True, tooltip="Their items."),
        SCORES.Output(f"{word}_scores", display_name="scores", tooltip="Their scores, for the next node."),
        io.Int.Output(
            "indexes",
            display_name="indexes",
            is_output_list=True,
            tooltip="Where they stood in the batch that came in; 0 is the first.",
        ),
        io.Float.Output(
            "values", display_name="values", is_output_list=True, tooltip="Their scores as numbers."
        ),
        io.String.Output(
            "prompts",
            display_name="prompts",
            is_output_list=True,
            tooltip="The prompts they were scored against.",
        ),
    ]


def _result(scored: ScoredBatch, carried: Carried, indexes: list[int]) -> Any:
    chosen = scored.take(indexes)
    return io.NodeOutput(
        *carried.take(indexes),
        chosen,
        listed(indexes),
        listed(list(chosen.scores)),
        listed(list(chosen.scores.prompts)),
    )


class SortByScore(io.ComfyNode):
    """Puts a batch, and what belongs to it, into the order of its scores."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "SortByScore",
            "Sort by Score",
            "Puts pictures into the order of their scores; latents, masks and any other list follow. Ties keep their order; pictures "
            "without a score come last.",
            [
                SCORES.Input("scores", tooltip="From Score Images or Blend Scores."),
                *streams(),
                io.Combo.Input(
                    "order", options=list(ORDERS), default=BEST_FIRST, tooltip="Which end comes first."
                ),
                within_input(
                    "Sort all pictures together, or the pictures of each prompt, prompt after prompt."
                ),
                changed_pictures(),
            ],
            _outputs("sorted", "The pictures in order"),
            ("rank images", "order by score", "sort batch"),
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        scores: Any,
        images: Any = None,
        latents: Any = None,
        masks: Any = None,
        items: Any = None,
        order: Any = BEST_FIRST,
        within: Any = ALL,
        changed_pictures: Any = False,
    ) -> Any:
        """Sorts."""
        scored = one_scored(scores)
        carried = Carried(scored, images, latents, masks, items, bool(one(changed_pictures)))
        worst_first = choice("order", one(order), ORDERS) == WORST_FIRST
        return _result(
            scored, carried, sorted_indexes(scored.scores, worst_first, meant("within", within, WITHIN))
        )


def sorted_indexes(scores: Scores, worst_first: bool, within: Within) -> list[int]:
    """Indexes in order, group after group; pictures without a score come last in their group."""
    found: list[int] = []
    for group in scores.groups(within):
        order = [int(group[place]) for place in scores.take(group).order()]
        scored = [index for index in order if index not in scores.failures]
        if worst_first:
            scored = sorted(scored, key=lambda index: float(scores.values[index]))
        found += scored + [index for index in order if index in scores.failures]
    return found


class PickBest(io.ComfyNode):
    """Keeps the best picture, or the best few."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "PickBest",
            "Pick Best",
            "Keeps the picture with the highest score, or the best few, together with its latent, mask and index. Use it to upscale or "
            "decode only the best of many.",
            [
                SCORES.Input("scores", tooltip="From Score Images or Blend Scores."),
                *streams(),
                io.Int.Input("number", default=1, min=1, max=4096, tooltip="How many to keep, best first."),
                within_input("The best of all pictures, or the best for each prompt."),
                changed_pictures(),
            ],
            _outputs("best", "The best pictures, best first"),
            ("best of n", "top image", "choose best", "seed search"),
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        scores: Any,
        images: Any = None,
        latents: Any = None,
        masks: Any = None,
        items: Any = None,
        number: Any = 1,
        within: Any = ALL,
        changed_pictures: Any = False,
    ) -> Any:
        """Picks."""
        scored = one_scored(scores)
        carried = Carried(scored, images, latents, masks, items, bool(one(changed_pictures)))
        kept = select(
            scored.scores, Rule(top_k=int(one(number)), within=meant("within", within, WITHIN))
        ).kept.tolist()
        if not kept:
            raise GraphError(
                f"none of the {scored.noun}s has a score, so there is no best one; look at the table of Score Images"
            )
        return _result(scored, carried, kept)


NODES = [SortByScore, PickBest]
