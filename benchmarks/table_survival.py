"""The part of ``results/README.md`` about what a library must survive: kills, strangers, full disks and damaged files."""

from __future__ import annotations

from typing import Any


def kills_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What was killed, and what did not hold."""
    random, before = figures["random"], figures["before_lines"]
    kinds = ", ".join(f"{name} {number}" for name, number in random["kills"].items())
    across, pairs = figures.get("across_file_systems"), figures.get("two_processes")
    more = []
    if across:
        kinds_across = ", ".join(f"{name} {number}" for name, number in across["kills"].items())
        more.append(f"{across['kills_in_all']} with folders on another file system ({kinds_across})")
    if pairs:
        more.append(
            f"{pairs['kills']} of {pairs['pairs_of_processes']} pairs of processes with stores of their own on one folder "
            f"({pairs['both_killed']} times both)"
        )
    wrong = figures["did_not_hold"]
    return [
        "## Killed at any instant",
        "",
        f"{figures['what']}. `python -m benchmarks.kill_tests`. {machine}",
        "",
        f"{random['kills_in_all']} kills at random instants ({kinds}), {''.join(f'{each}, ' for each in more)}"
        f"{sum(row['kills'] for row in before.values())} before chosen lines; "
        f"{random['folders_checked_file_by_file']:,} times a folder was checked file by file, "
        f"{random['pictures_reported_as_scored_and_found_again']:,} pictures reported as scored were found again. "
        f"What did not hold: {'; '.join(map(str, wrong)) if wrong else 'nothing'}.",
        "",
    ]


def hostile_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What strangers, full disks and damaged files were tried, and what did not hold."""
    lines = [
        "## Strangers, full disks, damaged stores",
        "",
        f"{figures['what']}. `python -m benchmarks.hostile_tests`. {machine}",
        "",
        "| what | things | cases | slowest, s | most memory, MiB | did not hold |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    skipped: list[str] = []
    for name, row in figures["groups"].items():
        wrong = "; ".join(row["did_not_hold"]) or "nothing"
        lines.append(
            f"| {name} | {row['things']} | {row['cases']} | {row['slowest_s']:.1f} | {row['most_mib']:.0f} | {wrong} |"
        )
        skipped += row["skipped"]
    return [*lines, "", *([f"Left out: {'; '.join(skipped)}.", ""] if skipped else [])]


def fuzz_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Damaged pictures and metadata."""
    totals = ", ".join(f"{name} {number:,}" for name, number in figures["totals"].items())
    wrong = figures["did_not_hold"]
    return [
        "## Damaged pictures and metadata",
        "",
        f"{figures['what']}. `python -m benchmarks.fuzz_metadata`. {machine}",
        "",
        f"{figures['items']:,} items: {totals}. The slowest took {figures['slowest_ms'] / 1000:.1f} s (limit {figures['limit_s']:g} s). "
        f"{figures['scanned']['files']:,} were scanned into a library, {figures['scanned']['without_a_row']} without a row. "
        f"What did not hold: {'; '.join(map(str, wrong)) if wrong else 'nothing'}.",
        "",
    ]
