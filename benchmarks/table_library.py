"""The part of ``results/README.md`` about libraries: size, kills, damaged files."""

from __future__ import annotations

from typing import Any

SHOWN = (
    "best first",
    "best first, from the middle on",
    "best first, of a folder and all below",
    "best first, of one prompt",
    "best first, scores of a range",
    "newest first",
    "best first, with a common word",
    "best first, with a rare word",
    "count",
    "histogram",
)


def library_part(figures: dict[str, Any], machine: str) -> list[str]:
    """How a library's cost grows with its size."""
    sizes = list(figures["store"])
    lines = [
        "## A library of pictures",
        "",
        f"{figures['what']} (load {figures['other_load']}). `python -m benchmarks.library`. {machine}",
        "",
        "Milliseconds for one page of 100 rows, median, by the number of pictures in the store:",
        "",
        f"| page | {' | '.join(f'{int(size):,}' for size in sizes)} |",
        f"| --- | {' | '.join('---' for _ in sizes)} |",
    ]
    for name in SHOWN:
        cells = [f"{figures['store'][size]['milliseconds'][name]['median']:.1f}" for size in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Bytes per row: {', '.join(str(figures['store'][size]['bytes_per_row']) for size in sizes)}. "
        f"Peak memory, MiB: {', '.join(str(figures['store'][size]['peak_memory_mib']) for size in sizes)}.",
        "",
        "| files in the tree | first scan, files/s (no model) | scan without changes, files/s | peak memory MiB |",
        "| --- | --- | --- | --- |",
    ]
    for size, row in figures["tree"].items():
        lines.append(
            f"| {int(size):,} | {row['first_scan_files_per_second']:,} | {row['scan_without_changes_files_per_second']:,} | "
            f"{row['peak_memory_mib']} |"
        )
    links = figures["links"]
    lines.append(
        f"| {links['files']:,} (hard links) | - | {links['scan_without_changes_files_per_second']:,} | {links['peak_memory_mib']} |"
    )
    return [*lines, ""]


def kills_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What was killed, and what did not hold."""
    random, before = figures["random"], figures["before_lines"]
    kinds = ", ".join(f"{name} {number}" for name, number in random["kills"].items())
    wrong = figures["did_not_hold"]
    return [
        "## Killed at any instant",
        "",
        f"{figures['what']}. `python -m benchmarks.kill_tests`. {machine}",
        "",
        f"{random['kills_in_all']} kills at random instants ({kinds}) and {sum(row['kills'] for row in before.values())} before chosen lines; "
        f"{random['folders_checked_file_by_file']:,} times a folder was checked file by file, "
        f"{random['pictures_reported_as_scored_and_found_again']:,} pictures reported as scored were found again. "
        f"What did not hold: {'; '.join(map(str, wrong)) if wrong else 'nothing'}.",
        "",
    ]


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
