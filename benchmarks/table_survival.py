"""The part of ``results/README.md`` about what a library must survive, and what that costs: kills, strangers, damaged files, waits."""

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


def journal_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What a picture costs that is moved and edited, in this version and in the one that waited for the disk after every step."""
    lines = [
        "## Speed of the journal",
        "",
        f"{figures['what']}. `python -m benchmarks.journal_speed`. {machine}",
        "",
        "| disk | way | pictures | before, ms a picture | now, ms a picture | processor now, ms | times faster: median [least..most] |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for part in ("disk", "slow_disk"):
        measured = figures.get(part, {})
        wait = measured.get("added_wait_ms")
        name = f"{wait:g} ms added to each wait" if wait else "as it is"
        for way in ("done", "undone") if measured else ():
            row = measured[way]
            lines.append(
                f"| {name} | {way} | {measured['pictures']:,} | {row['earlier_clock_ms']} | {row['now_clock_ms']} | "
                f"{row['now_processor_ms']} | {row['times_faster']:.1f} [{row['least']:.1f}..{row['most']:.1f}] |"
            )
    return [*lines, ""]


def hashing_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What naming weights by their tensors costs, once for each file."""
    lines = [
        "## Naming weights by their tensors",
        "",
        f"Random weights of full size in the system's cache of files, {figures['rounds']} rounds; once for each file, then remembered. "
        f"`python -m benchmarks.weights_hash`. {machine}",
        "",
        "| form | load, s | hash and load, s | remembered, ms |",
        "| --- | --- | --- | --- |",
    ]
    for form in ("pt", "safetensors"):
        row = figures[form]
        lines.append(
            f"| .{form} | {row['load_s']} | {row['hash_and_load_s']} | {1000 * row['remembered_s']:.2f} |"
        )
    return [
        *lines,
        "",
        f"Most memory of a process that only hashes: {figures['peak_mib_of_hashing']} MiB.",
        "",
    ]


def submissions_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What was submitted to the validators of annotation, and how often an independent reading of the protocol disagreed."""
    taken, refused = sum(figures["taken"].values()), sum(figures["refused"].values())
    reasons = ", ".join(f"{code} {count:,}" for code, count in list(figures["refused_for"].items())[:8])
    return [
        "## Submissions to the annotation's validators",
        "",
        f"{figures['submissions']:,} documents by seed {figures['seed']}, most a step or two from right ones: {taken:,} taken, {refused:,} "
        f"refused (most often for {reasons}). An independent reading of the protocol disagreed {figures['disagreements']:,} times. "
        f"`python -m benchmarks.annotation_submissions`. {machine}",
        "",
    ]
