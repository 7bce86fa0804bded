"""Blend Scores: several scorers' opinions about the same pictures as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..imagereward_core.errors import CuratorError
from .errors import GraphError, choice
from .schema import PARTS, SCORES, schema
from .scored import ScoredBatch, one_scored
from .wording import table

METHODS = ("rank", "standard", "weighted")
SLOTS = 4


@dataclass(frozen=True, eq=False)
class Part:
    """One voice: scores and how much they count."""

    scored: ScoredBatch
    weight: float


class BlendScores(io.ComfyNode):
    """Blends scores of the same pictures."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "BlendScores",
            "Blend Scores",
            "One score out of several scorers' scores of the same pictures. Scales differ between scorers, so 'rank' (places within each "
            "prompt) or 'standard' (distance from the mean) compare them fairly; 'weighted' adds raw numbers. For more than four scorers, "
            "connect the parts of one Blend Scores to 'more' of the next.",
            [
                SCORES.Input("scores_1", tooltip="Scores by one scorer."),
                *[
                    SCORES.Input(
                        f"scores_{slot}",
                        optional=True,
                        tooltip="Scores of the same pictures by another scorer.",
                    )
                    for slot in range(2, SLOTS + 1)
                ],
                PARTS.Input(
                    "more",
                    optional=True,
                    tooltip="The parts of another Blend Scores: its scorers join in with their weights.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default="rank",
                    tooltip="rank: mean of the places within each prompt, from 1 (best) to 0 (worst). standard: mean of the scores in "
                    "standard deviations from the scorer's published mean, or from the mean of this batch where none is published. "
                    "weighted: sum of the raw scores times their weights.",
                ),
                *[
                    io.Float.Input(
                        f"weight_{slot}",
                        default=1.0,
                        min=-1000.0,
                        max=1000.0,
                        step=0.05,
                        tooltip=f"How much scores_{slot} counts. 0 shows it without a vote; below 0 only with 'weighted'.",
                    )
                    for slot in range(1, SLOTS + 1)
                ],
                io.String.Input(
                    "name",
                    default="blend",
                    tooltip="What to call the blend in tables, file names and metadata.",
                ),
            ],
            [
                SCORES.Output("blended_scores", display_name="scores", tooltip="The blended scores."),
                PARTS.Output(
                    "parts",
                    display_name="parts",
                    tooltip="The scorers and weights, for 'more' of another Blend Scores.",
                ),
                io.String.Output(
                    "report", display_name="report", tooltip="The order, and how far the scorers agree."
                ),
            ],
            ("ensemble", "combine scores", "mix scorers", "vote"),
        )

    @classmethod
    def execute(
        cls, scores_1: Any, more: Any = None, method: str = "rank", name: str = "blend", **slots: Any
    ) -> Any:
        """Blends."""
        given = {1: scores_1} | {slot: slots.get(f"scores_{slot}") for slot in range(2, SLOTS + 1)}
        parts = tuple(
            Part(one_scored(scored), float(slots.get(f"weight_{slot}", 1.0)))
            for slot, scored in given.items()
            if scored is not None
        ) + tuple(more or ())
        blended = blend(parts, choice("method", method, METHODS), name)
        return io.NodeOutput(blended, parts, "\n".join([table(blended), *_agreement(parts)]))


def blend(parts: tuple[Part, ...], method: Any, name: str) -> ScoredBatch:
    """One SCORES out of several.

    Raises:
        GraphError: They belong to different pictures, or one is itself a blend.
        BlendError, DifferentPicturesError: See the core.
    """
    from ..imagereward_core.scorers.blend import Blend, BlendMember, blend_card, combine

    first = parts[0].scored
    for part in parts:
        if part.scored.pictures != first.pictures:
            raise GraphError(
                f"the scores of {part.scored.scores.scorer} belong to other pictures than those of {first.scores.scorer}, or to the same "
                "ones in another order. Score one and the same batch with every scorer, then blend, then sort."
            )
        if part.scored.members:
            raise GraphError(
                f"{part.scored.scores.scorer} is a blend already, and a blend is no member of another. Connect its scorers' own scores, or "
                "the parts output of the first Blend Scores to 'more' of this one."
            )
    members = tuple(BlendMember(part.scored.scores.scorer, part.weight) for part in parts)
    spec = Blend(name.strip() or "blend", members, method)
    result = combine(spec, [part.scored.scores for part in parts])
    card = blend_card(spec, [part.scored.card for part in parts])
    known = [part.scored.basis for part in parts]  # such as that one is a checkpoint of the user's own
    basis = " ".join(dict.fromkeys(filter(None, (result.describe(), *known))))
    return ScoredBatch(result.scores, first.pictures, card, result.members, basis, first.clips)


def _agreement(parts: tuple[Part, ...]) -> list[str]:
    """How far the scorers agree, and pictures worth a look, in sentences."""
    from ..imagereward_core.scorers.agreement import agreement, disagreements

    scores = [part.scored.scores for part in parts]
    try:
        pairs, disputed = agreement(scores), disagreements(scores)
    except CuratorError:  # scorers that cannot be compared are blended all the same
        return []
    return [pair.sentence() for pair in pairs] + [
        f"Worth a look: picture {flag.index + 1}. {flag.reason}." for flag in disputed
    ]


NODES = [BlendScores]
