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


def refl_proof_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What tunings of the tiny generator raised, and what they cost."""
    scale, ways = figures["scale"], dict(figures["ways"])
    before = ways.pop("before")
    second = next(name for name in before["scores"] if name != "demo")
    own = f"own_over_others_by_{second}"
    early = figures.get("early")
    which = f"A generator whose denoiser learnt for {early:,} steps alone" if early else "The tiny generator"
    lines = [
        "## A generator that draws badly, tuned" if early else "## A generator tuned without being ruined",
        "",
        f"{which}, tuned to the demo scorer on {scale['tuned']} prompts in at most {scale['updates']} updates; "
        f"{figures['second']} watches. Measured on {before['pictures']} pictures of "
        f"{scale['new']} new prompts, from the same "
        "seeds before and after; rises in standard deviations of the untouched generator's scores. It is tuned and drawn without guidance; "
        "in brackets what the same LoRA does to pictures with guidance 4. "
        f"`python -m benchmarks.refl_proof`; every command and all checks stand in `refl_proof{'_early' if early else ''}.json`. {machine}"
        + (f" Put together: {figures['put_together']}." if "put_together" in figures else ""),
        "",
        "| way | demo scorer | the other scorer | own prompt above another's, by each | diversity | the run |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| untouched | {_mean(before, 'demo')} | {_mean(before, second)} | {before['own_over_others']:.1%}, {before[own]:.1%} "
        f"| {before['diversity']:.3f} | |",
    ]
    if "right" in figures:
        right = figures["right"]
        means = " | ".join(
            f"mean {row['mean']:.2f}, deviation {row['deviation']:.2f}"
            for row in (right["scores"][who] for who in ("demo", second))
        )
        change = right["diversity"] / before["diversity"] - 1
        lines.append(
            f"| right drawings | {means} | {right['own_over_others']:.1%}, {right[own]:.1%} | {right['diversity']:.3f} ({change:+.0%}) | |"
        )
    for way, row in ways.items():
        tuning = row["tuning"]
        end = tuning.get("stopped") or "to its end"
        if "rise_in_deviations" not in row:
            lines.append(f"| {way} | | | | | {end}; no LoRA, for no state was good |")
            continue
        end += f"; the state after update {tuning['update']}"
        rise, guided = row["rise_in_deviations"], row["guided"]["rise_in_deviations"]
        both = " | ".join(f"{rise[who]:+.2f} ({guided[who]:+.2f})" for who in ("demo", second))
        lines.append(
            f"| {way} | {both} | {row['own_over_others']:.1%}, {row[own]:.1%} "
            f"| {row['diversity']:.3f} ({row['diversity_change']:+.0%}) | {end} |"
        )
    return [*lines, ""]


def _mean(before: dict[str, Any], scorer: str) -> str:
    """Of the untouched generator, without guidance and with it."""
    plain, guided = before["scores"][scorer], before["guided"]["scores"][scorer]
    return f"mean {plain['mean']:.2f}, deviation {plain['deviation']:.2f} ({guided['mean']:.2f}, {guided['deviation']:.2f})"


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
