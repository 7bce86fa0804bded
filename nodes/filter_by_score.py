"""Filter by Score: kept and rejected, with a policy for the case that nothing passes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..imagereward_core.scores import Within
from ..imagereward_core.selection import Rule, Selection, select
from ..imagereward_core.settings import settings_of
from .carried import Carried
from .host.errors import GraphError, choice
from .host.outputs import blocked, listed, one
from .inputs import WITHIN, meant, setting_input, within_input
from .links import ChosenBatch, ScoredBatch, one_scored
from .schema import (
    ALL,
    AS_GIVEN,
    BEST_FIRST,
    SCORES,
    SELECTION,
    changed_pictures,
    schema,
    streams,
)
from .text import table

log = logging.getLogger(__name__)

CONDITIONS = ("top_k", "top_percent", "min_score", "min_percentile", "keep_at_least")
BLOCK, KEEP_BEST, PASS_ALL, ERROR = "block this branch", "keep the best one", "pass all", "error"
POLICIES = (BLOCK, KEEP_BEST, PASS_ALL, ERROR)
ORDERS = (BEST_FIRST, AS_GIVEN)


def conditions() -> list[Any]:
    """The inputs of a rule; :func:`rule_of` reads them."""
    return [setting_input(Rule, name) for name in CONDITIONS]


def rule_of(within: Within = "all", **given: Any) -> Rule:
    """The rule that the inputs of :func:`conditions` make."""
    known = settings_of(Rule)
    return Rule(within=within, **{name: known[name].given(one(value)) for name, value in given.items()})


def _side(word: str) -> list[Any]:
    return [
        io.Image.Output(
            f"{word}_images",
            display_name=f"{word} images",
            is_output_list=True,
            tooltip=f"The {word} pictures.",
        ),
        io.Latent.Output(
            f"{word}_latents", display_name=f"{word} latents", is_output_list=True, tooltip="Their latents."
        ),
        io.Mask.Output(
            f"{word}_masks", display_name=f"{word} masks", is_output_list=True, tooltip="Their masks."
        ),
        io.AnyType.Output(
            f"{word}_items", display_name=f"{word} items", is_output_list=True, tooltip="Their items."
        ),
        SCORES.Output(
            f"{word}_scores", display_name=f"{word} scores", tooltip="Their scores, for the next node."
        ),
    ]


class FilterByScore(io.ComfyNode):
    """Splits a batch into kept and rejected."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "FilterByScore",
            "Filter by Score",
            "Splits pictures into kept and rejected; latents, masks and any other list follow. All conditions that are set must hold. When "
            "nothing passes, the branch behind 'kept' can be skipped while the rest of the graph and of the queue goes on.",
            [
                SCORES.Input("scores", tooltip="From Score Images or Blend Scores."),
                *streams(),
                *conditions(),
                within_input(),
                io.Combo.Input(
                    "when_nothing_passes",
                    options=list(POLICIES),
                    default=BLOCK,
                    tooltip="Block this branch: nodes behind 'kept' do not run, everything else does. Keep the best one: per prompt where "
                    "'within' says so. Pass all: the filter does nothing. Error: this run stops with a message; the queue goes on.",
                ),
                io.Combo.Input(
                    "order",
                    options=list(ORDERS),
                    default=BEST_FIRST,
                    tooltip="The order of the kept and of the rejected pictures.",
                ),
                changed_pictures(),
            ],
            [
                *_side("kept"),
                *_side("rejected"),
                io.Int.Output(
                    "kept_indexes",
                    display_name="kept indexes",
                    is_output_list=True,
                    tooltip="Where they stood; 0 is the first.",
                ),
                io.Int.Output(
                    "rejected_indexes",
                    display_name="rejected indexes",
                    is_output_list=True,
                    tooltip="Where they stood; 0 is the first.",
                ),
                io.Int.Output("kept_count", display_name="kept count", tooltip="How many were kept."),
                io.Int.Output(
                    "rejected_count", display_name="rejected count", tooltip="How many were rejected."
                ),
                SELECTION.Output(
                    "selection",
                    display_name="selection",
                    tooltip="Which pictures were kept, for Save Scored Images, Score Plot and the contact sheet; it goes with all images "
                    "and scores, not with the kept ones.",
                ),
                io.String.Output(
                    "report",
                    display_name="report",
                    tooltip="Every picture with the reason why it was kept or rejected.",
                ),
            ],
            ("threshold", "top k", "cull", "keep best", "reject", "gate", "quality filter"),
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
        within: Any = ALL,
        when_nothing_passes: Any = BLOCK,
        order: Any = BEST_FIRST,
        changed_pictures: Any = False,
        **conditions: Any,
    ) -> Any:
        """Filters."""
        scored = one_scored(scores)
        carried = Carried(scored, images, latents, masks, items, bool(one(changed_pictures)))
        rule = rule_of(meant("within", within, WITHIN), **conditions)
        policy = choice("when_nothing_passes", one(when_nothing_passes), POLICIES)
        chosen = decide(scored, rule, policy)
        if choice("order", one(order), ORDERS) == AS_GIVEN:
            chosen = replace(chosen, kept=sorted_copy(chosen.kept), rejected=sorted_copy(chosen.rejected))
        return _result(scored, carried, chosen)


def sorted_copy(indexes: Any) -> Any:
    """Indexes from first to last."""
    return indexes[indexes.argsort()]


def check_percentiles(rule: Rule, scorer: str, there_are: bool) -> None:
    """Makes sure that a rule asks for no percentiles where there are none.

    Raises:
        GraphError: It does.
    """
    if rule.min_percentile is not None and not there_are:
        raise GraphError(
            f"min_percentile is set, but {scorer} scores made this way have no reference distribution to read percentiles against. Set "
            "min_percentile to 0 and use min_score, top_k or top_percent."
        )


def decide(scored: ScoredBatch, rule: Rule, policy: str) -> Selection:
    """The selection, with the policy for the case that nothing passes.

    Raises:
        GraphError: The scorer has no percentiles, or nothing passes and the policy is to stop.
    """
    scores = scored.scores
    check_percentiles(rule, scores.scorer, scores.distribution is not None)
    chosen = select(scores, rule)
    if len(chosen.kept) or policy == BLOCK:
        return chosen
    if policy == PASS_ALL:
        why = tuple(
            f"kept: nothing passed, so all do ({reason.partition(': ')[2]})" for reason in chosen.reasons
        )
        return replace(chosen, kept=chosen.order, rejected=chosen.order[:0], reasons=why)
    if policy == KEEP_BEST:
        chosen = select(scores, replace(rule, keep_at_least=1))
        if len(chosen.kept):
            return chosen
    best = scores.values[chosen.order[0]]
    raise GraphError(
        f"nothing passed the filter: the best of {scored.counted(len(scores))} has {best:.4f}. Lower the conditions, or choose another "
        "policy under when_nothing_passes."
    )


def _result(scored: ScoredBatch, carried: Carried, chosen: Selection) -> Any:
    kept, rejected = chosen.kept.tolist(), chosen.rejected.tolist()
    if not kept:
        log.warning(
            "Filter by Score: none of %s passed; the branch behind 'kept' is skipped",
            scored.counted(len(scored)),
        )
    return io.NodeOutput(
        *carried.take(kept),
        scored.take(kept) if kept else blocked(),
        *carried.take(rejected),
        scored.take(rejected) if rejected else blocked(),
        listed(kept),
        listed(rejected),
        len(kept),
        len(rejected),
        ChosenBatch(chosen, scored.pictures),
        f"kept {len(kept)} of {len(scored)}\n{table(scored, chosen.reasons)}",
    )


NODES = [FilterByScore]
