"""The part about training of the page of recorded measurements."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "reference": "as the published trainer",
    "train": "`imagereward train`",
    "cached": "with `--cache-frozen`, from the second epoch on",
}


def training_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Speed and memory of a training step beside the published trainer's way."""
    count, memory = figures["count"], figures["peak_mib"]
    lines = [
        "## Training",
        "",
        f"{figures['what']}. Forward and backward, reading included for ours; all ways give the same gradients (to "
        f"{count['largest_difference_of_gradients']:.0e} of the largest). `python -m benchmarks.training`. {machine} Load beside it: "
        f"{figures['other_load']}.",
        "",
        f"Counting allows: {count['pairs']} pairs encode {2 * count['pairs']} pictures anew, or {count['pictures']} once. One encoding "
        f"takes {count['gflop_of_an_encoding']:.2f} GFLOP, {count['gflop_above_the_cache']:.2f} of them above the layers that are kept.",
        "",
        "| way | times the published way: median [least..most] | by clock, processor | counting allows | share of it | peak "
        "memory of a batch, MiB |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| {_NAMES['reference']} | 1 | 1, 1 | | | {memory['reference']} |",
    ]
    for way, row in figures["speed"].items():
        lines.append(
            f"| {_NAMES[way]} | {row['times_reference']:.2f} [{row['least']:.2f}..{row['most']:.2f}] | "
            f"{row['by_clock']:.2f}, {row['by_processor']:.2f} | "
            f"{row['allowed']:.2f} | {row['share']:.0%} | {memory[way]} |"
        )
    return [*lines, ""]


def training_gpu_part(figures: dict[str, Any], machine: str) -> list[str]:
    """A full-size step on a GPU."""
    lines = [
        "## A training step on a GPU",
        "",
        f"{figures['what']}; the device's measured matrix rate is {figures['peak_matmul_tflops']} TFLOP/s. "
        f"`python3 -m benchmarks.training_gpu`. {machine}",
        "",
        "| way | s for a step | pictures/s | TFLOP/s | share of the matrix rate | peak memory, GiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for way, row in figures["steps"].items():
        lines.append(
            f"| {_NAMES[way]} | {row['step_s']} | {row['pictures_per_second']} | {row['tflops']} | {row['share_of_peak']:.0%} | "
            f"{row['peak_gib']} |"
        )
    return [*lines, ""]


def train_demo_part(figures: dict[str, Any], machine: str) -> list[str]:
    """The demo model made anew."""
    found = figures["held_out"]
    kinds = found["by_kind"]
    return [
        "## The demo model made anew",
        "",
        f"{figures['what']}. All stages took {figures['seconds']:,} s. `nox -s train_demo`. {machine}",
        "",
        f"| of {found['pairs']:,} pairs | all | {' | '.join(kinds)} |",
        f"| --- | --- |{' --- |' * len(kinds)}",
        f"| ordered rightly, % | {100 * found['accuracy']:.2f} | "
        + " | ".join(f"{100 * each['accuracy']:.1f}" for each in kinds.values())
        + " |",
        "",
    ]
