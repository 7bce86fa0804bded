"""A ladder as a table with means and intervals over seeds, as files and as a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from imagereward_core.files.whole import written_whole
from imagereward_core.metrics.uncertainty import mean_interval
from imagereward_core.plain import count_of

from ...figures.document import Drawing, Evaluation, Figure, Section, Table, known
from ...figures.drawings import can_draw, svg
from ...figures.estimates import Estimate
from ...figures.write import render
from ..networks.freezing import in_millions
from .climb import Climbed
from .judge import ACCURACY

FILES = {"ladder.json": "json", "ladder.csv": "csv", "ladder.md": "markdown"}
DRAWING = "ladder.svg"
VALIDATION = "accuracy on validation"
_SECTION = "ladder"


def document(factor: str, climbed: Sequence[Climbed], facts: dict[str, Any], met: int = 0) -> Evaluation:
    """All figures of a ladder, from the trainings that are finished.

    Args:
        factor: What was changed.
        climbed: The trainings, in any order.
        facts: What else is to be known, by name.
        met: How many prompts of the test are among those to learn from or to validate on.
    """
    rungs = list(dict.fromkeys(each.rung for each in climbed))
    seeds = sorted({each.seed for each in climbed})
    by_rung = {rung: sorted((c for c in climbed if c.rung == rung), key=lambda c: c.seed) for rung in rungs}
    measures = list(dict.fromkeys([*(name for each in climbed for name in each.measured), VALIDATION]))
    figures, rows = [], []
    for rung, own in by_rung.items():
        cells = [rung, _data(own), _layers(own[0])]
        for measure in measures:
            values = [value for each in own if (value := _value(each, measure)) is not None]
            low, high = mean_interval(values)
            estimate = Estimate(fmean(values) if values else float("nan"), low, high, len(values))
            spread = stdev(values) if len(values) > 1 else None
            figures.append(Figure.made(_SECTION, measure, estimate, "seeds", group=rung, deviation=spread))
            cells.append(estimate.percent())
        cells.append(f"{fmean(each.facts['steps'] for each in own):,.0f}")
        rows.append(cells)
        figures += _about(rung, own)
    main = ACCURACY if ACCURACY in measures else VALIDATION
    section = Section(
        _SECTION,
        f"The ladder of {factor}",
        "The same training with one thing changed, in percent: the mean over seeds, with the 95 % interval that these leave for it "
        "(Student's, so that few seeds leave a wide one). Everything else is the same, the pictures that judge a state included; with the "
        "same seed pictures come in the same order, and a smaller part of the data is within every larger one.",
        [Table((factor, "learns from", "frozen layers; trains", *measures, "steps"), rows, texts=3)],
        figures,
        _sentences(by_rung, main),
        [
            Drawing(
                "points",
                f"The ladder of {factor}: {main}",
                factor,
                "% of pairs",
                rungs,
                {},
                points={
                    rung: [100 * value for each in own if (value := _value(each, main)) is not None]
                    for rung, own in by_rung.items()
                },
            )
        ],
    )
    warnings = []
    if main == VALIDATION:
        warnings.append(
            "There are no test rankings. States were chosen by the rankings that this accuracy is of, so it is a little too high; name "
            "others with --test."
        )
    if met:
        warnings.append(
            f"{count_of(met, 'prompt')} of the test are among those that are learnt from or validated on, so its figures are too high; "
            "make splits with: imagereward rankings split"
        )
    if len(seeds) < 2:
        warnings.append(
            "One seed says nothing about how much of a difference is chance; train with --seeds 3 or more."
        )
    missing = {name for each in climbed for name in each.failures}
    if missing:
        warnings.append(
            f"{count_of(len(missing), 'picture')} of the test could not be scored; rung.json of each training has the reasons."
        )
    return Evaluation(
        title=f"What {factor} does to a reward model",
        facts={**facts, "seeds": seeds, "trainings": len(climbed)},
        sections=[section],
        warnings=warnings,
    )


def write(evaluation: Evaluation, folder: Path, drawn: bool = True) -> None:
    """Writes the ladder's files, and its drawing if it is to be ``drawn`` and matplotlib is here; earlier ones are replaced."""
    for name, form in FILES.items():
        with written_whole(folder / name) as temporary:
            temporary.write_text(render(evaluation, form, to_file=True), encoding="utf-8", newline="")
    if drawn and can_draw():
        (drawing,) = evaluation.sections[0].drawings
        with written_whole(folder / DRAWING) as temporary:
            temporary.write_text(svg(drawing), encoding="utf-8")


def _value(climbed: Climbed, measure: str) -> float | None:
    if measure == VALIDATION:
        found = climbed.facts["accuracy"][0]
        return None if found is None else float(found)
    return climbed.measured[measure].value if measure in climbed.measured else None


def _data(own: Sequence[Climbed]) -> str:
    """How much a rung learns from; as many rankings with each seed, but not as many pairs."""
    rankings, pairs = (
        fmean(each.facts["learnt_from"][what] for each in own) for what in ("rankings", "pairs")
    )
    return f"{rankings:,.0f} rankings, {pairs:,.0f} pairs"


def _layers(climbed: Climbed) -> str:
    layers = ", ".join(
        f"{tower} {depth} of {of}" for tower, (depth, of) in climbed.facts["frozen_layers"].items()
    )
    return f"{layers}; {in_millions(sum(climbed.facts['trained'].values()))}"


def _about(rung: str, own: Sequence[Climbed]) -> list[Figure]:
    """What a rung was, one by one for programs."""
    facts = own[0].facts
    told = {
        **{
            f"{what} learnt from": fmean(each.facts["learnt_from"][what] for each in own)
            for what in ("rankings", "pairs", "pictures")
        },
        **{f"frozen layers, {tower}": depth for tower, (depth, _) in facts["frozen_layers"].items()},
        **{f"layers, {tower}": of for tower, (_, of) in facts["frozen_layers"].items()},
        "parameters that train": sum(facts["trained"].values()),
        "steps": fmean(each.facts["steps"] for each in own),
        "seconds": fmean(each.facts["seconds"] for each in own),
    }
    return [
        Figure(section=_SECTION, measure=name, group=rung, value=float(value), count=len(own), of="seeds")
        for name, value in told.items()
    ]


def _sentences(by_rung: dict[str, list[Climbed]], measure: str) -> list[str]:
    """How each rung differs from the one before it, with the same seeds."""
    rungs, told = list(by_rung), []
    for before, after in zip(rungs, rungs[1:]):
        first = {each.seed: _value(each, measure) for each in by_rung[before]}
        moved = [
            value - start
            for each in by_rung[after]
            if (value := _value(each, measure)) is not None and (start := first.get(each.seed)) is not None
        ]
        low, high = mean_interval(moved)
        if known(low) is None:
            continue
        told.append(
            f"From {before} to {after} {measure} changes by {100 * fmean(moved):+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}, "
            f"{count_of(len(moved), 'seed')} compared one by one)"
            + ("." if low > 0 or high < 0 else ": they cannot be told apart.")
        )
    return told
