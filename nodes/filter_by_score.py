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
    dropdown,
    entry,
    output,
    schema,
    stream_outputs,
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
    """The rule that the inputs of :func:`conditions`, among all that a node was given, make."""
    known = settings_of(Rule)
    return Rule(
        within=within, **{name: known[name].given(one(given[name])) for name in CONDITIONS if name in given}
    )


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
                entry(SCORES, "scores", "From Score Images or Blend Scores."),
                *streams(),
                *conditions(),
                within_input(),
                dropdown(
                    "when_nothing_passes",
                    POLICIES,
                    "Block this branch: nodes behind 'kept' do not run, everything else does. Keep the best one: per prompt where "
                    "'within' says so. Pass all: the filter does nothing. Error: this run stops with a message; the queue goes on.",
                ),
                dropdown("order", ORDERS, "The order of the kept and of the rejected pictures."),
                changed_pictures(),
            ],
            [
                *stream_outputs("kept", "The kept pictures.", "kept"),
                *stream_outputs("rejected", "The rejected pictures.", "rejected"),
                output(io.Int, "kept_indexes", "Where they stood; 0 is the first.", many=True),
                output(io.Int, "rejected_indexes", "Where they stood; 0 is the first.", many=True),
                output(io.Int, "kept_count", "How many were kept."),
                output(io.Int, "rejected_count", "How many were rejected."),
                output(
                    SELECTION,
                    "selection",
                    "Which pictures were kept, for Save Scored Images, Score Plot and the contact sheet; it goes with all images "
                    "and scores, not with the kept ones.",
                ),
                output(io.String, "report", "Every picture with the reason why it was kept or rejected."),
            ],
            ("threshold", "top k", "cull", "keep best", "reject", "gate", "quality filter"),
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        scores: Any,
        within: Any = ALL,
        when_nothing_passes: Any = BLOCK,
        order: Any = BEST_FIRST,
        **given: Any,
    ) -> Any:
        """Filters."""
        scored = one_scored(scores)
        carried = Carried(scored, given)
        rule = rule_of(meant("within", within, WITHIN), **given)
        policy = choice("when_nothing_passes", one(when_nothing_passes), POLICIES)
        chosen = decide(scored, rule, policy)
        if choice("order", one(order), ORDERS) == AS_GIVEN:
            chosen = replace(chosen, kept=sorted_copy(chosen.kept), rejected=sorted_copy(chosen.rejected))
        return _result(scored, carried, chosen)


def sorted_copy(indexes: Any) -> Any:
    """Indexes from first to last."""
    return indexes[indexes.argsort()]


def check_percentiles(rule: Rule, scorer: str, there_are: bool) -> None:
    """Raises GraphError where a rule asks for percentiles and there are none."""
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
