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


def loop_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What came of the loop that simulated people closed."""
    agreed, panel = figures["agreement_with_people"], figures["panel_prefers_after"]
    above, tuning = figures["model_above_demo"], figures["tuning"]
    lines = [
        "## The whole loop",
        "",
        f"{figures['what']}. `nox -s loop`; every command stands in `loop.json`, and docs/loop.md explains them. {machine}",
        "",
        "| | value | interval |",
        "| --- | --- | --- |",
        *(
            f"| {name} agrees with the people, in pairs about other prompts | {_share(row)} |"
            for name, row in agreed.items()
        ),
        f"| the first above the second (p = {above['p']:.2g}) | {_share(above)} |",
        f"| the panel prefers the tuned generator (aim: {figures['aim']:.0%}) | {_share(panel)} |",
        "",
        f"The generator is that after update {tuning['update']}"
        + (f"; {tuning['stopped']}." if tuning["stopped"] else "."),
    ]
    return [*lines, ""]


def _share(row: dict[str, Any]) -> str:
    return f"{row['value']:.1%} | {row['low']:.1%} to {row['high']:.1%}"


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
