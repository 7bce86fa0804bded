"""The parts of ``results/README.md`` about how well models agree with rankings."""

from __future__ import annotations

from typing import Any

_RECALL = tuple(f"{measure}@{cut}" for measure in ("recall", "filter") for cut in (1, 2, 4))


def demo_table2_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Table 2 of the paper for the demo model."""
    rows = {row["measure"]: row for row in figures["figures"] if row.get("scorer")}
    chance = {row["measure"]: row["value"] for row in figures["figures"] if "by chance" in row["measure"]}
    named = ("pairs", "rankings", *_RECALL)
    return [
        "## Table 2 of the paper, for the demo model",
        "",
        f"{figures['what']}; percent, with 95 % intervals by prompt. `python -m benchmarks.demo_table2`. {machine}",
        "",
        f"| | accuracy, all pairs | accuracy, mean over groups | {' | '.join(_RECALL)} |",
        f"| --- |{' --- |' * len(named)}",
        f"| demo | {' | '.join(_text(rows[name]) for name in named)} |",
        "| a toss | 50.0 | 50.0 | "
        + " | ".join(f"{100 * chance[name.replace('@', ' by chance@')]:.1f}" for name in _RECALL)
        + " |",
        "",
    ]


def _text(row: dict[str, Any]) -> str:
    return f"{100 * row['value']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
