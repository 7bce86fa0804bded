"""How well a result agrees with rankings it has not met, by the figures of the paper's Table 3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagereward_core.cli.batches import Steps, StopSwitch
from imagereward_core.cli.console import Console
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.locate import WeightSettings

from ...data.ranking_set import RankingSet
from ...evaluation.accuracy import accuracy_section, counts_of
from ...evaluation.extremes import recall_section
from ...evaluation.options import EvaluateOptions
from ...evaluation.scoring import score_rankings
from ...figures.estimates import Estimator

ACCURACY = "accuracy"


@dataclass(frozen=True)
class Measured:
    """A share, and of how many things."""

    value: float
    count: int
    of: str


def judge(
    path: Path, test: RankingSet, weights: WeightSettings, device: str
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Preference accuracy over all pairs, and recall and filter where people named a best and a worst picture, by name.

    Args:
        path: The checkpoint.
        test: The rankings.
        weights: Where the weights of its base are found, if it is a change of another.
        device: Where it is scored.

    Returns:
        The figures, and the pictures that could not be scored with their reasons.

    Raises:
        KeyboardInterrupt: A person stopped it.
    """
    steps, console = Steps(), Console(quiet=True)
    stop = StopSwitch(console, "The training is kept; --resume goes on")
    scorer = create_scorer(path, LocalRuntime(device, "fp32", steps.progress, stop.asked), weights)
    scored = score_rankings(Panel(scorer), test.rankings, test.images, console, stop, steps)
    if scored.stopped:
        raise KeyboardInterrupt
    estimator = Estimator(EvaluateOptions(resamples=100), scored.prompts)
    figures = [
        *(
            row
            for row in accuracy_section(scored, counts_of(scored), estimator).figures
            if row.measure == "pairs"
        ),
        *(row for row in recall_section(scored, estimator).figures if row.scorer),
    ]
    found = {
        ACCURACY if row.measure == "pairs" else row.measure: Measured(row.value, row.count, row.of)
        for row in figures
        if row.value is not None
    }
    return found, {each.image: each.reason for each in scored.failures}
