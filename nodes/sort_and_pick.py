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
    dropdown,
    entry,
    output,
    schema,
    stream_outputs,
    streams,
)

ORDERS = (BEST_FIRST, WORST_FIRST)


def _outputs(word: str, images: str) -> list[Any]:
    return [
        *stream_outputs(word, f"{images}: a batch if one came in, else a list."),
        output(io.Int, "indexes", "Where they stood in the batch that came in; 0 is the first.", many=True),
        output(io.Float, "values", "Their scores as numbers.", many=True),
        output(io.String, "prompts", "The prompts they were scored against.", many=True),
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
                entry(SCORES, "scores", "From Score Images or Blend Scores."),
                *streams(),
                dropdown("order", ORDERS, "Which end comes first."),
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
    def execute(cls, scores: Any, order: Any = BEST_FIRST, within: Any = ALL, **given: Any) -> Any:
        """Sorts."""
        scored = one_scored(scores)
        carried = Carried(scored, given)
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
                entry(SCORES, "scores", "From Score Images or Blend Scores."),
                *streams(),
                entry(io.Int, "number", "How many to keep, best first.", default=1, min=1, max=4096),
                within_input("The best of all pictures, or the best for each prompt."),
                changed_pictures(),
            ],
            _outputs("best", "The best pictures, best first"),
            ("best of n", "top image", "choose best", "seed search"),
            is_input_list=True,
        )

    @classmethod
    def execute(cls, scores: Any, number: Any = 1, within: Any = ALL, **given: Any) -> Any:
        """Picks."""
        scored = one_scored(scores)
        carried = Carried(scored, given)
        kept = select(
            scored.scores, Rule(top_k=int(one(number)), within=meant("within", within, WITHIN))
        ).kept.tolist()
        if not kept:
            raise GraphError(
                f"none of the {scored.noun}s has a score, so there is no best one; look at the table of Score Images"
            )
        return _result(scored, carried, kept)


NODES = [SortByScore, PickBest]
