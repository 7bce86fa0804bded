"""All sections of an evaluation, from rankings with scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imagereward_core.metrics.uncertainty import FEW_PROMPTS
from imagereward_core.plain import count_of

from ..data.split import TRAIN
from ..figures.document import Evaluation
from ..figures.estimates import Estimator
from .accuracy import accuracy_section, categories_section, counts_of, differences_section
from .blending import blends_section, halves
from .extremes import places_section, ratings_section, recall_section
from .options import EvaluateOptions
from .people import agreement_section, wins_section
from .scoring import ScoredRankings


def measure(
    scored: ScoredRankings,
    options: EvaluateOptions,
    facts: Mapping[str, Any] | None = None,
    researchers: Sequence[str] = (),
    tune: ScoredRankings | None = None,
    tuned_on: str = "",
) -> Evaluation:
    """The evaluation.

    Args:
        scored: Rankings to report on.
        options: How figures are made.
        facts: What was evaluated, by name.
        researchers: Annotators that others are measured against.
        tune: Rankings of other prompts, on which weights of blends are found; by default half of the prompts, by their hash.
        tuned_on: Name of their split.
    """
    estimator = Estimator(options, scored.prompts)
    counts = counts_of(scored)
    find, report = halves(scored) if tune is None else (tune, scored)
    how = (
        "The weight is found on one half of the prompts, drawn by their hash, and reported on the other half."
        if tune is None
        else f"The weight is found on the split '{tuned_on}' and reported on the others."
    )
    sections = [
        accuracy_section(scored, counts, estimator),
        differences_section(scored, counts, estimator),
        categories_section(scored, counts, estimator),
        recall_section(scored, estimator),
        places_section(scored),
        ratings_section(scored, estimator),
        agreement_section(scored, estimator, researchers),
        wins_section(scored, estimator),
        blends_section(find, report, estimator, how),
    ]
    prompts = len(set(scored.prompts.tolist()))
    warnings = [*scored.remarks]
    if prompts < FEW_PROMPTS:
        warnings.append(
            f"There are rankings of {count_of(prompts, 'prompt')} alone; with fewer than {FEW_PROMPTS} the intervals are too narrow, "
            "and a difference must be large to be seen."
        )
    learnt = sum(ranking.split == TRAIN for ranking in scored.rankings)
    if learnt:
        warnings.append(
            f"{count_of(learnt, 'ranking')} of {len(scored.rankings):,} are of the split '{TRAIN}'. A scorer that was trained on them "
            "looks better here than it is; measure on others, with --split test."
        )
    warnings += [
        f"{each.scorer} has no number for any picture, and scorers are compared on the pictures that all have scored, so there are no "
        "figures. Leave it out."
        for each in scored.scores
        if not each.scored
    ]
    if scored.stopped:
        warnings.append("The run was stopped before all pictures were scored; the figures are of the others.")
    return Evaluation(
        title=f"How well {_listed(scored.scorers)} {'agrees' if len(scored.scorers) == 1 else 'agree'} with people",
        facts=facts or {},
        sections=[section for section in sections if section is not None],
        warnings=warnings,
        failures=scored.failures,
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
