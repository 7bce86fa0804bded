"""Blend Scores: several scorers' opinions about the same pictures as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..imagereward_core.errors import CuratorError
from ..imagereward_core.records import record
from ..imagereward_core.scorers.blend_names import METHODS
from .host.errors import GraphError, choice
from .host.outputs import tell_on_node
from .links import ScoredBatch, one_scored
from .schema import PARTS, SCORES, dropdown, entry, output, schema
from .text import table

if TYPE_CHECKING:
    from ..imagereward_core.scores import Scores

WAYS = tuple(sorted(METHODS))
SLOTS = 4


@record(frozen=True, eq=False)
class Part:
    """One voice: scores, how much they count, and what somebody calls them to tell them from others of the same scorer."""

    scored: ScoredBatch
    weight: float
    name: str = ""

    def as_member(self, prompts: tuple[str, ...]) -> ScoredBatch:
        """The scores under their own name, as a member of a blend of pictures with ``prompts``.

        A name says that these are other opinions on purpose, so they may be about other prompts; they then count as being about those of
        the blend. The scorer stays in the name, so that no number is taken for that of another scorer.
        """
        if not self.name:
            return self.scored
        called = f"{self.name} ({self.scored.scores.scorer})"
        return replace(
            self.scored,
            scores=replace(self.scored.scores, scorer=called, prompts=prompts),
            card=replace(self.scored.card, id=called),
        )


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
                entry(SCORES, "scores_1", "Scores by one scorer."),
                *[
                    entry(
                        SCORES,
                        f"scores_{slot}",
                        "Scores of the same pictures by another scorer.",
                        optional=True,
                    )
                    for slot in range(2, SLOTS + 1)
                ],
                entry(
                    PARTS,
                    "more",
                    "The parts of another Blend Scores: its scorers join in with their weights.",
                    optional=True,
                ),
                dropdown(
                    "method",
                    WAYS,
                    "rank: mean of the places within each prompt, from 1 (best) to 0 (worst). standard: mean of the scores in "
                    "standard deviations from the scorer's published mean, or from the mean of this batch where none is published. "
                    "weighted: sum of the raw scores times their weights.",
                ),
                *[
                    entry(
                        io.Float,
                        f"weight_{slot}",
                        f"How much scores_{slot} counts. 0 shows it without a vote; below 0 only with 'weighted'.",
                        default=1.0,
                        min=-1000.0,
                        max=1000.0,
                        step=0.05,
                    )
                    for slot in range(1, SLOTS + 1)
                ],
                entry(
                    io.String,
                    "name",
                    "What to call the blend in tables, file names and metadata. Takes tokens of Save Image, such as "
                    "%date:yyyy-MM-dd% and %KSampler.seed%, as the names below do.",
                    default="blend",
                ),
                *[
                    entry(
                        io.String,
                        f"name_{slot}",
                        f"What to call scores_{slot} in the blend. With names the same scorer may vote more than once: for other "
                        "prompts, such as what you want and, with weight -1 and 'weighted', what you do not want, or with another framing.",
                        default="",
                        optional=True,
                        folded=True,
                    )
                    for slot in range(1, SLOTS + 1)
                ],
            ],
            [
                output(SCORES, "blended_scores", "The blended scores.", "scores"),
                output(PARTS, "parts", "The scorers and weights, for 'more' of another Blend Scores."),
                output(io.String, "report", "The order, and how far the scorers agree."),
            ],
            ("ensemble", "combine scores", "mix scorers", "vote"),
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls, scores_1: Any, more: Any = None, method: str = "rank", name: str = "blend", **slots: Any
    ) -> Any:
        """Blends."""
        from .tokens import HostTokens

        host = HostTokens.of(cls.hidden)

        def filled(field: str, text: Any) -> str:
            return " ".join(host.fill(field, str(text or "")).split())

        given = {1: scores_1} | {slot: slots.get(f"scores_{slot}") for slot in range(2, SLOTS + 1)}
        parts = tuple(
            Part(
                one_scored(scored),
                float(slots.get(f"weight_{slot}", 1.0)),
                filled(f"name_{slot}", slots.get(f"name_{slot}")),
            )
            for slot, scored in given.items()
            if scored is not None
        ) + tuple(more or ())
        blended = blend(parts, choice("method", method, WAYS), filled("name", name))
        if host.unfilled:
            tell_on_node(getattr(cls.hidden, "unique_id", None), " ".join(host.unfilled))
        return io.NodeOutput(
            blended, parts, "\n".join([table(blended), *_agreement(blended.members, blended.noun)])
        )


def blend(parts: tuple[Part, ...], method: Any, name: str) -> ScoredBatch:
    """One SCORES out of several.

    Raises:
        GraphError: They belong to different pictures or prompts, one is itself a blend, or two cannot be told apart.
        BlendError, DifferentPicturesError: See the core.
    """
    from ..imagereward_core.scorers.blend import Blend, BlendMember, blend_card, combine

    first = parts[0].scored
    for part in parts:
        _check(part, first)
    named = [part.as_member(first.scores.prompts) for part in parts]
    names = [each.scores.scorer.casefold() for each in named]
    for each in named:
        if names.count(each.scores.scorer.casefold()) > 1:
            raise GraphError(
                f"{each.scores.scorer} is in the blend twice. Give each of them a name of its own in name_1 to name_{SLOTS}, such as "
                "wanted and unwanted."
            )
    members = tuple(
        BlendMember(each.scores.scorer, part.weight) for each, part in zip(named, parts, strict=True)
    )
    spec = Blend(name.strip() or "blend", members, method)
    result = combine(spec, [each.scores for each in named])
    card = blend_card(spec, [each.card for each in named])
    known = [each.basis for each in named]  # such as that one is a checkpoint of the user's own
    basis = " ".join(dict.fromkeys(filter(None, (result.describe(), *known))))
    return ScoredBatch(result.scores, first.pictures, card, result.members, basis, first.clips)


def _check(part: Part, first: ScoredBatch) -> None:
    """Raises GraphError where scores cannot go into one blend with the first."""
    scorer = part.scored.scores.scorer
    if part.scored.pictures != first.pictures:
        raise GraphError(
            f"the scores of {scorer} belong to other pictures than those of {first.scores.scorer}, or to the same "
            "ones in another order. Score one and the same batch with every scorer, then blend, then sort."
        )
    if part.scored.members:
        raise GraphError(
            f"{scorer} is a blend already, and a blend is no member of another. Connect its scorers' own scores, or "
            "the parts output of the first Blend Scores to 'more' of this one."
        )
    if not part.name and part.scored.scores.prompts != first.scores.prompts:
        other = first.scores.scorer
        which = (
            f"two of the scores, both by {scorer}, were made with different prompts"
            if scorer == other
            else f"the scores of {scorer} were made with other prompts than those of {other}"
        )
        raise GraphError(
            f"{which}. Score with the same prompts; or, to blend opinions about different prompts, give each of these scores a name in the "
            "node."
        )


def _agreement(members: Sequence[Scores], noun: str) -> list[str]:
    """How far the scorers agree, and pictures worth a look, in sentences."""
    from ..imagereward_core.metrics.agreement import agreement, disagreements

    try:
        pairs, disputed = agreement(members), disagreements(members)
    except CuratorError:  # scorers that cannot be compared are blended all the same
        return []
    return [pair.sentence() for pair in pairs] + [
        f"Worth a look: {noun} {flag.index + 1}. {flag.reason}." for flag in disputed
    ]


NODES = [BlendScores]
