"""``imagereward evaluate``: how well scorers agree with people's rankings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.batches import Steps, StopSwitch
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, EXPLANATION, INTERRUPTED, SOME_FAILED, UsageError
from imagereward_core.cli.options import (
    add_scorer,
    add_weights,
    check_writable,
    form_by_ending,
    weight_settings,
)
from imagereward_core.plain import count_of

from ..data.options import add_rankings, opened, tell_left_out
from ..figures.output_options import add_output
from ..figures.write import ENDINGS, FORMS
from .options import EvaluateOptions

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser

    from ..data.ranking_set import RankingSet
    from .scoring import ScoredRankings

_EXAMPLES = """\
examples:
  imagereward evaluate rankings.jsonl --scorer ImageReward-v1.0 --also CLIP
  imagereward evaluate data/test.json --images test_images --also all --html evaluation.html
  imagereward evaluate mine.jsonl --split test --tune-on validation --also Aesthetic -o evaluation.json
  imagereward evaluate mine.jsonl --researchers ann,bob --sheet 20 --html evaluation.html

docs/evaluation.md explains every figure.
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Scores the pictures of rankings that people made and measures how well each scorer agrees with them: preference accuracy by the "
        "rules of every published protocol, with intervals and a paired test, recall and filter, places of the best and worst, ratings, "
        "agreement between people, win rates, and weights of blends. No file is changed."
    )
    parser.epilog = f"{_EXAMPLES}\n{EXPLANATION}"
    add_rankings(parser)
    group = parser.add_argument_group("rankings")
    group.add_argument("--split", default="", metavar="NAME", help="only rankings of this split")
    group.add_argument(
        "--tune-on",
        default="",
        metavar="NAME",
        help="split on which weights of blends are found (default: half of the prompts, and the other half reports)",
    )
    group.add_argument(
        "--researchers",
        action="append",
        default=[],
        metavar="NAME",
        help="an annotator that others are measured against; may be given several times",
    )
    add_scorer(parser)
    add_weights(parser)
    group = parser.add_argument_group("figures")
    for name in ("protocol", "confidence", "resamples", "seed", "blend_method"):
        add_setting(group, EvaluateOptions, name, f"--{name.replace('_', '-')}")
    add_output(
        parser,
        sheet="show on the page the best pictures of each scorer for the first N prompts",
        scores="write every ranking with its scores as well, one JSON object per line",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Scores, measures and writes; returns the exit code.

    Raises:
        UsageError: The options do not go together, a file cannot be written, or there are no rankings that order two pictures.
        CuratorError: A scorer cannot be made ready.
    """
    from imagereward_core.cli.scorers import load_panel

    from ..figures.deliver import deliver
    from .measure import measure
    from .scored_lines import put_scores
    from .scoring import score_rankings
    from .sheet import sheets

    console = Console(args.quiet)
    targets = {"--output": args.output, "--html": args.html, "--scores": args.scores}
    check_writable(targets, args.overwrite, [args.rankings])
    if args.sheet and not args.html:
        raise UsageError(
            "--sheet shows pictures on the page; expected the name of one, such as --html evaluation.html"
        )
    form = form_by_ending(args, FORMS, ENDINGS)
    options = EvaluateOptions(
        protocol=args.protocol,
        confidence=args.confidence,
        resamples=args.resamples,
        seed=args.seed,
        blend_method=args.blend_method,
    )
    data, tune = _read(args, console)
    if not any(ranking.pairs for ranking in data.rankings):
        raise UsageError(
            f"{args.rankings}: no two pictures of a prompt have different ranks, so there is nothing to agree with; expected rankings in "
            "which one picture is better than another"
        )
    tell_left_out(data, console)
    stop, steps = StopSwitch(console), Steps()
    panel = load_panel(args, weight_settings(args), console, steps.progress, stop.asked)
    together = score_rankings(panel, [*data.rankings, *tune], data.images, console, stop, steps)
    scored = together.part(range(len(data)))
    apart = together.part(range(len(data), len(data) + len(tune))) if args.tune_on else None
    names = tuple(part.strip() for text in args.researchers for part in text.split(",") if part.strip())
    evaluation = measure(scored, options, _facts(args, data, scored), names, apart, args.tune_on)
    pictures = list(sheets(scored, data.images, args.sheet)) if args.sheet else []
    deliver(args, form, evaluation, console, pictures)
    put_scores(args, scored, console)
    return INTERRUPTED if scored.stopped else SOME_FAILED if evaluation.failures else DONE


def _read(args: argparse.Namespace, console: Console) -> tuple[RankingSet, list[Any]]:
    """The rankings to report on, and those to find weights on."""
    if args.tune_on and args.tune_on == args.split:
        raise UsageError(
            f"--tune-on and --split both name {args.split!r}; expected two splits, since a weight is reported on other prompts than it was "
            "found on"
        )
    data = opened(args, console, args.split)
    if not args.tune_on:
        return data, []
    tune = list(opened(args, Console(quiet=True), args.tune_on).rankings)
    kept = [ranking for ranking in data.rankings if ranking.split != args.tune_on]
    both = {ranking.prompt for ranking in tune} & {ranking.prompt for ranking in kept}
    if both:
        raise UsageError(
            f"{count_of(len(both), 'prompt')} of the split {args.tune_on!r}, such as {min(both)!r}, "
            "are among the prompts to report on too; expected splits by prompt. Make some with: imagereward rankings split"
        )
    if not kept:
        raise UsageError(
            f"--tune-on {args.tune_on}: there are no other rankings to report on; name another split"
        )
    return replace(data, rankings=kept), tune


def _facts(args: argparse.Namespace, data: RankingSet, scored: ScoredRankings) -> Mapping[str, Any]:
    return {
        "rankings": str(args.rankings),
        "split": args.split,
        "data": data.sha256(),
        "prompts": len(set(scored.prompts.tolist())),
        "number of rankings": len(scored.rankings),
        "left out by the reader": data.left_out,
        "scorers": [f"{each.scorer}, weights {each.revision}" for each in scored.scores],
        "on reference": all(each.on_reference for each in scored.scores),
        "accuracy in comparisons": args.protocol,
        "confidence of intervals, %": args.confidence,
        "resamples": args.resamples,
        "seed": args.seed,
    }
