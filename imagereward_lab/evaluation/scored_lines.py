"""Rankings with their scores as JSON lines, from which all figures can be made again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagereward_core.cli.console import Console
from imagereward_core.cli.output.write import put
from imagereward_core.plain import count_of
from imagereward_core.report.own_figures import SCORED_KEYS

from ..figures.document import known
from .scoring import ScoredRankings


def put_scores(args: argparse.Namespace, scored: ScoredRankings, console: Console) -> None:
    """Writes what ``--scores`` asks for, if anything."""
    if args.scores:
        put("".join(scored_lines(scored)), args.scores, True, args.overwrite)
        console.say(f"Wrote {count_of(len(scored.rankings), 'ranking')} with scores to {args.scores}")


def scored_lines(scored: ScoredRankings) -> Iterator[str]:
    """Every ranking with its scores as a line of JSON, from which all figures can be made again."""
    for number, ranking in enumerate(scored.rankings):
        places = scored.places[number]
        reasons = {
            each.scorer: {
                ranking.images[at]: each.failures[place]
                for at, place in enumerate(places.tolist())
                if place in each.failures
            }
            for each in scored.scores
        }
        values = (
            ranking.id,
            ranking.prompt,
            ranking.annotator,
            list(ranking.images),
            list(ranking.order),
            {each.scorer: [known(value) for value in each.values[places].tolist()] for each in scored.scores},
            {scorer: each for scorer, each in reasons.items() if each},
        )
        line: Mapping[str, Any] = dict(zip(SCORED_KEYS, values, strict=True))
        yield json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
