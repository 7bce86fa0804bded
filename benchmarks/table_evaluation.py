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


def annotators_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Agreement of simulated annotators: computed, and found by the procedure of Table 1."""
    lines = [
        "## Table 1 of the paper, for annotators of known reliability",
        "",
        f"{figures['what']}; percent. Computed follows from their noise. `python -m benchmarks.annotators`. {machine}",
    ]
    for crew, cells in figures["crews"].items():
        lines += [
            "",
            f"| crew: {crew} | computed | measured first, with its 95 % interval | mean of all | intervals that hold it |",
            "| --- | --- | --- | --- | --- |",
        ]
        for cell, row in cells.items():
            value, low, high = row["first_measured"]
            measured = _text({"value": value, "low": low, "high": high})
            expected, mean = (f"{100 * row[name]:.1f}" for name in ("expected", "mean_measured"))
            lines.append(f"| {cell} | {expected} | {measured} | {mean} | {row['interval_holds_it']} |")
    first = ", ".join(f"{name} {count}" for name, count in figures["first_by_agreement"].items())
    return [
        *lines,
        "",
        f"Whose prompts the split by agreement takes first for the test, of the mixed crew: {first}.",
        "",
    ]


def quick_ranking_part(figures: dict[str, Any], machine: str) -> list[str]:
    """How near ranks from quick questions come to the truth."""
    shares = list(figures["rows"][0]["spearman"])
    lines = [
        "## Ranks from quick questions",
        "",
        f"{figures['what']}. Spearman's correlation of strengths with the truth by the number of questions, mean over seeds; then, after "
        "the last question, the least of all seeds, the same answers with ties as half wins, how often the 90 % interval of a rank holds "
        f"the true one, and how many ranks it spans. `python -m benchmarks.quick_ranking`. {machine}",
        "",
        f"| person (noise), pictures shown, questions | {' | '.join(shares)} | least | ties as half wins | interval holds it | it spans |",
        "| --- |" + " --- |" * (len(shares) + 4),
    ]
    for row in figures["rows"]:
        means = " | ".join(f"{value:.3f}" for value in row["spearman"].values())
        lines.append(
            f"| {row['person']} ({row['noise']:g}), {row['shown']}, {row['questions']} | {means} | {row['least']:.3f} | "
            f"{row['ties_as_half_wins']:.3f} | {100 * row['intervals_that_hold_the_rank']:.0f} % | {row['mean_width_of_intervals']:.0f} |"
        )
    lines += ["", "From an answer to the next question, fit and choice:", ""]
    lines += [
        "| pictures | answers | shown | median ms | least ms | median ms of processor time |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    names = ("pictures", "answers", "shown", "median_ms", "least_ms", "median_processor_ms")
    lines += [f"| {' | '.join(str(row[name]) for name in names)} |" for row in figures["speed"]]
    return [*lines, ""]


def ladders_part(figures: dict[str, Any], machine: str) -> list[str]:
    """The ladders on drawn scenes."""
    lines = [
        "## Ladders on drawn scenes",
        "",
        f"{figures['what']}; percent, means over seeds with 95 % intervals. `python -m benchmarks.ladders`. {machine}",
    ]
    for name, ladder in figures["ladders"].items():
        rows = {(row["group"], row["measure"]): row for row in ladder["figures"]}
        towers = [measure[len("layers, ") :] for _, measure in rows if measure.startswith("layers, ")]
        towers = list(dict.fromkeys(towers))
        lines += [
            "",
            f"| {name} | rankings | frozen layers | accuracy | {' | '.join(_RECALL)} |",
            f"| --- | --- | --- |{' --- |' * (1 + len(_RECALL))}",
        ]
        for rung in dict.fromkeys(group for group, _ in rows):
            frozen = ", ".join(
                f"{tower} {rows[rung, f'frozen layers, {tower}']['value']:.0f} of {rows[rung, f'layers, {tower}']['value']:.0f}"
                for tower in towers
            )
            cells = [_text(rows[rung, measure]) for measure in ("accuracy", *_RECALL)]
            number = rows[rung, "rankings learnt from"]["value"]
            lines.append(f"| {rung} | {number:,.0f} | {frozen} | {' | '.join(cells)} |")
        lines += ["", *(f"- {sentence}" for sentence in ladder["sentences"])]
    return [*lines, ""]


def _text(row: dict[str, Any]) -> str:
    value = f"{100 * row['value']:.1f}"
    return value if row["low"] is None else f"{value} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
