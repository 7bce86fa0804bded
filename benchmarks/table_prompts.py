"""The part of ``results/README.md`` about the choice of prompts."""

from __future__ import annotations

from typing import Any

_KINDS = {"directions": "directions", "texts": "texts, by all-MiniLM-L6-v2"}


def prompts_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What a choice covers, and what it costs."""
    lines = [
        "## Which prompts to ask about",
        "",
        f"{figures['what']}. `python -m benchmarks.prompt_selection`. {machine}",
        "",
    ]
    names: list[str] = []
    for kind, title in _KINDS.items():
        for count, both in figures.get(kind, {}).items():
            if not names:
                names = list(both["chosen"])
                lines += [
                    f"| prompts | chosen | how | {' | '.join(names)} |",
                    "| --- | --- | --- |" + " --- |" * len(names),
                ]
            for how, row in both.items():
                cells = [f"{row[name]:.1%}" if name == "covered" else f"{row[name]:.3f}" for name in names]
                lines.append(
                    f"| {title} | {int(count):,} | {'by votes' if how == 'chosen' else how} | {' | '.join(cells)} |"
                )
    titles = [name for name in figures["cost"][0] if name not in ("prompts", "chosen")]
    lines += ["", f"| prompts | chosen | {' | '.join(titles)} |", "| --- | --- |" + " --- |" * len(titles)]
    for row in figures["cost"]:
        lines.append(
            f"| {row['prompts']:,} | {row['chosen']:,} | {' | '.join(str(row[name]) for name in titles)} |"
        )
    grown = figures["1.8 million"]
    power = grown.get("time of the graph grows with the power")
    seen = f" (measured: the power {power})" if power else ""
    lines += [
        "",
        f"Computed for 1,800,000 prompts from {grown['from']:,}, the time of the graph growing with the square{seen}: "
        f"{grown['whole graph, processor hours']} hours of one processor for the whole graph, which is {grown['graph GiB']} GiB; "
        f"{grown['votes, processor min']} minutes of one for 10,000 choices in it. In groups of {grown['in groups of']:,}: "
        f"{grown['in groups, processor hours']} hours of one processor.",
        "",
    ]
    return lines
