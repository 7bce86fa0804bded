"""The part about tuning of the page of recorded measurements."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "published": "as the published script",
    "reward-alone": "`imagereward refl`, for the reward alone",
    "defaults": "`imagereward refl`, with its defaults",
    "kept": "the same with `--no-checkpointing`",
}


def refl_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Time and memory of an update beside the published script's way."""
    lines = [
        "## Tuning a model to a reward",
        "",
        f"{figures['what']}. `python -m benchmarks.refl`. {machine} Load beside it: {figures['other_load']}.",
        "",
        "| way | numbers that are changed | s for an update | times the published | peak memory above the model, MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {_NAMES[way]} | {row['trained']:,} | {row['update_s']} | {row['times_published']} | {row['peak_mib']} |"
        for way, row in figures["ways"].items()
    ]
    return [*lines, ""]


def refl_gpu_part(figures: dict[str, Any], machine: str) -> list[str]:
    """Full-size models on a GPU."""
    lines = [
        "## Tuning full-size models on a GPU",
        "",
        f"{figures['what']}. `python3 -m benchmarks.refl_gpu`. {machine}",
        "",
        "| model | side of pictures | pictures for an update | s for an update | peak memory, GB | aim, GB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {row['side']} | {row['pictures']} | {row['update_s']} | {row['peak_gb']} | {row['aim_gb']:g} |"
        for name, row in figures["models"].items()
    ]
    return [*lines, ""]
