"""Score to Text and Number: scores for nodes that do not know them."""

from __future__ import annotations

from typing import Any

import numpy as np
from comfy_api.latest import io

from .host.errors import GraphError, choice
from .links import ScoredBatch, one_scored
from .schema import SCORES, dropdown, entry, output, schema
from .text import as_json, table
from .text import number as in_digits

BEST, WORST, MEAN, MEDIAN, BY_RANK, BY_POSITION = "best", "worst", "mean", "median", "by rank", "by position"
WHICH = (BEST, WORST, MEAN, MEDIAN, BY_RANK, BY_POSITION)


class ScoreToText(io.ComfyNode):
    """Scores as plain values."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "ScoreToText",
            "Score to Text and Number",
            "Turns scores into numbers and text that any node can use: one value of choice, its meaning in plain words, the table, JSON.",
            [
                entry(SCORES, "scores", "From Score Images or a node behind it."),
                dropdown(
                    "which",
                    WHICH,
                    "Which value: the best, the worst, the mean or median of all, the one with a rank (1 is best), or that of the "
                    "picture at a position (1 is the first).",
                ),
                entry(
                    io.Int,
                    "number",
                    "The rank or the position, for 'by rank' and 'by position'; else unused.",
                    default=1,
                    min=1,
                    max=4096,
                ),
                entry(io.Int, "decimals", "Decimals of the numbers in text.", default=4, min=0, max=8),
            ],
            [
                output(io.Float, "value", "The chosen value."),
                output(io.String, "text", "The chosen value as text."),
                output(io.String, "meaning", "What the value means, in plain words."),
                output(io.String, "table", "All pictures from best to worst."),
                output(io.String, "json", "Everything about the scores, for programs."),
                output(io.Float, "values", "All scores in the order of the pictures.", many=True),
            ],
            ("score to float", "score to string", "show score"),
        )

    @classmethod
    def execute(cls, scores: Any, which: str = BEST, number: int = 1, decimals: int = 4) -> Any:
        """Gives the chosen number, and all scores as text, JSON and a list."""
        scored = one_scored(scores)
        value, meaning = chosen(scored, choice("which", which, WHICH), number)
        return io.NodeOutput(
            value,
            in_digits(value, decimals),
            " ".join(filter(None, (meaning, scored.basis))),
            table(scored, decimals=decimals),
            as_json(scored),
            list(scored.scores),
        )


def chosen(scored: ScoredBatch, which: str, place: int) -> tuple[float, str]:
    """A value and what it means.

    Raises:
        GraphError: No picture has a score, or there is no such place.
    """
    from ..imagereward_core.scorers.meaning import explain

    scores = scored.scores
    order = [index for index in scores.order().tolist() if index not in scores.failures]
    if not order:
        raise GraphError(f"none of the {scored.noun}s has a score; look at the table of Score Images")
    on_reference = scores.on_reference
    if which in (MEAN, MEDIAN):
        values = scores.values[order]
        value = float(values.mean() if which == MEAN else np.median(values))
        return (
            value,
            f"{which} of {scored.counted(len(order))}. {explain(scored.card, value, on_reference=on_reference)}",
        )
    among = range(len(scores)) if which == BY_POSITION else order
    at = {BEST: 1, WORST: len(order)}.get(which, place)
    if at > len(among):
        raise GraphError(
            f"number is {at}, but {scored.counted(len(among))} {'has' if len(among) == 1 else 'have'} a score; expected 1 to {len(among)}"
        )
    index = among[at - 1]
    value = float(scores.values[index])
    if index in scores.failures:
        return value, f"No score: {scores.failures[index]}"
    rank = int(scores.ranks()[index])
    return value, explain(scored.card, value, rank, len(order), on_reference=on_reference)


NODES = [ScoreToText]
