"""Writes ``results/README.md`` from the recorded figures, so that no number in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from .table_evaluation import annotators_part, demo_table2_part, ladders_part, quick_ranking_part
from .table_pages import annotation_kills_part, open_page_part
from .table_prompts import prompts_part
from .table_survival import fuzz_part, hashing_part, hostile_part, journal_part, kills_part, submissions_part
from .table_training import train_demo_part, training_gpu_part, training_part
from .table_tuning import loop_part, refl_gpu_part, refl_part, refl_proof_part

RESULTS = Path(__file__).parent / "results"


def load(name: str) -> dict[str, Any] | None:
    """A recorded result, or None where it has not been measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def machine_line(figures: dict[str, Any], packages: Collection[str] | None = None) -> str:
    """Where and with what something was measured; ``packages`` are those to name, by default all."""
    machine, versions = figures["machine"], figures["versions"]
    if packages is not None:
        versions = {name: version for name, version in versions.items() if name in packages}
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return (
        f"{figures['date']}; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"{', '.join(machine['flags'])}; {machine['accelerator'] or 'no GPU'}; {named}."
    )


def speed_part(figures: dict[str, Any]) -> list[str]:
    """Speed, loading and import."""
    lines = ["## Speed", "", f"{figures['what']}. `python -m benchmarks.speed`. {machine_line(figures)}", ""]
    lines += ["| variant | pictures/s | times the reference: median [least..most] |", "| --- | --- | --- |"]
    for name, row in figures["speed"].items():
        lines.append(
            f"| {name} | {row['pictures_per_second']:.2f} | {row['times_reference']:.2f} [{row['least']:.2f}..{row['most']:.2f}] |"
        )
    lines += ["", "## Loading, in fresh processes", ""]
    lines += [
        "| way | load s | times faster | first two scores s | peak at load MiB | by size of weights | peak after scoring MiB |"
    ]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in figures["loading"].items():
        lines.append(
            f"| {name} | {row['load_s']:.2f} | {row['times_faster_to_load']:.1f} | {row['first_scores_s']:.2f} | "
            f"{row['peak_at_load_mib']:.0f} | {row['peak_at_load_by_weights']:.2f} | {row['peak_after_scoring_mib']:.0f} |"
        )
    lines += ["", "Memory is counted above that of the imports.", ""]
    lines += [
        f"`import imagereward_core`: {figures['import']['median_ms']} ms (median of 10 fresh processes), without torch.",
        "",
    ]
    return lines


def parity_part(figures: dict[str, Any]) -> list[str]:
    """Differences to the reference."""
    lines = ["## Parity with the published reference", ""]
    spread = figures["reference_scores"]["std"]
    lines += [
        f"{len(figures['pictures'])} pictures of odd sizes and modes times {len(figures['prompts'])} prompts; full size, "
        "random weights, scores' "
        f"standard deviation {spread:.2f}. `python -m benchmarks.parity`. {machine_line(figures)}",
        "",
        "| scores | largest difference | mean | Spearman | pairs ordered alike |",
        "| --- | --- | --- | --- | --- |",
    ]
    for title, part in (("reference", "against_reference"), ("float64", "against_float64")):
        for name, row in figures[part].items():
            lines.append(
                f"| {name} against {title} | {row['max_abs']:.1e} | {row['mean_abs']:.1e} | {row['spearman']:.5f} | "
                f"{100 * row['pair_order_agreement']:.2f} % |"
            )
    keys = figures["keys"]
    lines += [
        "",
        f"Keys: {keys['file_keys']} in the file, {keys['our_keys']} in our network, {keys['missing_in_ours']} missing, "
        f"{keys['unexpected_in_ours']} unexpected, {keys['other_shape']} of another shape. Prompts with other token ids: "
        f"{figures['prompts_with_other_ids']}.",
        "",
    ]
    for name, row in figures["batch_independence"].items():
        lines.append(
            f"{name}: batch 1 against 8 differs by at most {row['batch_1_against_8']:.1e}, another order by {row['shuffled']:.1e}."
        )
    return [*lines, ""]


def scorers_part(figures: dict[str, Any]) -> list[str]:
    """Differences of the other scorers to their published programs."""
    lines = [
        "## Parity of the other scorers with their published programs",
        "",
        "Picture files and prompts in, scores out, fp32; random weights. `nox -s bench_scorers`. "
        + machine_line(figures, ("python", "torch", "pillow")),
        "",
        "| scorer | published program | with | layers | pictures x prompts | their scores' standard deviation | "
        "largest difference | mean | pairs ordered alike |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in figures["scorers"].items():
        versions = ", ".join(f"{package} {version}" for package, version in row["versions"].items())
        lines.append(
            f"| {name} | {row['what']} | {versions} | {row['layers']} | {row['pictures']} x {row['prompts']} | "
            f"{row['reference_scores']['std']:.2g} | {row['fp32']['max_abs']:.1e} | {row['fp32']['mean_abs']:.1e} | "
            f"{100 * row['fp32']['pair_order_agreement']:.2f} % |"
        )
    reasons: dict[str, list[str]] = {}
    for name, row in figures["scorers"].items():
        for picture, why in row["left_out"].items():
            reasons.setdefault(f"{picture}: {why}", []).append(name)
    lines += ["", "Pictures the published programs cannot take:", ""]
    lines += [f"- {', '.join(names)}: {reason}." for reason, names in reasons.items()]
    return [*lines, ""]


def scorer_speed_part(figures: dict[str, Any]) -> list[str]:
    """Speed of every scorer beside ImageReward's, and of several in one pass."""
    lines = [
        "## Speed of the scorers",
        "",
        f"{figures['what']}. `python -m benchmarks.scorer_speed`. {machine_line(figures, ('python', 'torch'))}",
        "",
        "| scorer | pictures/s | ImageReward beside it | times ImageReward: median [least..most] |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in figures["scorers"].items():
        times = row["times_imagereward"]
        lines.append(
            f"| {name} | {row['pictures_per_second']:.2f} | {row['imagereward_pictures_per_second']:.2f} | "
            f"{times['median']:.2f} [{times['least']:.2f}..{times['most']:.2f}] |"
        )
    together = figures["together"]
    saved = together["one_after_another_over_one_pass"]
    lines += [
        "",
        f"{', '.join(together['scorers'])} one after another take {saved['median']:.2f} [{saved['least']:.2f}..{saved['most']:.2f}] times "
        "as long as in one pass.",
        "",
    ]
    return lines


def startup_part(figures: dict[str, Any]) -> list[str]:
    """What the pack costs ComfyUI's start."""
    lines = [
        "## Start of ComfyUI",
        "",
        "Import of the pack, several starts of the real host. `python -m benchmarks.comfyui_startup`. "
        + machine_line(figures, ("python", "torch")),
        "",
        "| ComfyUI | median ms | most ms | by the host's log, s | first start, ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in figures["hosts"].items():
        log = ", ".join(map(str, row["host_log_s"]))
        lines.append(f"| {name} | {row['median_ms']} | {row['most_ms']} | {log} | {row['first_start_ms']} |")
    return [*lines, ""]


def library_part(figures: dict[str, Any]) -> list[str]:
    """What a library costs, and how that grows."""
    store, tree, links = figures["store"], figures["tree"], figures["links"]
    sizes = list(store)
    lines = [
        "## The library",
        "",
        f"`python -m benchmarks.library`. {machine_line(figures, ('python',))} Measured beside other work (load "
        f"{figures['other_load']} of {figures['machine']['cores']} processors), so a quiet machine is quicker.",
        "",
        "Milliseconds, median (of the processor's own time, which other work does not change), by the number of pictures in the library:",
        "",
        f"| page of 100 rows | {' | '.join(f'{int(size):,}' for size in sizes)} |",
        f"| --- |{' --- |' * len(sizes)}",
    ]
    for name in store[sizes[-1]]["milliseconds"]:
        times = [store[size]["milliseconds"][name] for size in sizes]
        cells = [
            f"{each['median']:.1f}" + (f" ({each['processor']:.1f})" if "processor" in each else "")
            for each in times
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, words in (
        ("bytes_per_row", "bytes on the disk for each"),
        ("peak_memory_mib", "peak memory, MiB"),
    ):
        lines.append(f"| {words} | {' | '.join(str(store[size][name]) for size in sizes)} |")
    again = "scan_without_changes_files_per_second"
    lines += [
        "",
        "| files on the disk | first scan, files/s | scan without changes, files/s | peak memory, MiB |",
        "| --- | --- | --- | --- |",
        *(
            f"| {int(size):,} | {each['first_scan_files_per_second']:,} | {each[again]:,} | {each['peak_memory_mib']} |"
            for size, each in tree.items()
        ),
        f"| {links['files']:,} (hard links) | | {links[again]:,} | {links['peak_memory_mib']} |",
        "",
    ]
    return lines


PLAIN_PARTS = {
    "speed": speed_part,
    "parity": parity_part,
    "scorer_parity": scorers_part,
    "scorer_speed": scorer_speed_part,
    "comfyui_startup": startup_part,
    "library": library_part,
}
"""Parts by the record they tell of, in the order of the page; of speed there is one record for each machine."""
PARTS = {
    "training": training_part,
    "training_gpu": training_gpu_part,
    "train_demo": train_demo_part,
    "refl": refl_part,
    "refl_proof": refl_proof_part,
    "refl_proof_early": refl_proof_part,
    "refl_gpu": refl_gpu_part,
    "loop": loop_part,
    "kill_tests": kills_part,
    "hostile_tests": hostile_part,
    "fuzz_metadata": fuzz_part,
    "journal_speed": journal_part,
    "weights_hash": hashing_part,
    "demo_table2": demo_table2_part,
    "annotators": annotators_part,
    "quick_ranking": quick_ranking_part,
    "ladders": ladders_part,
    "prompt_selection": prompts_part,
    "annotation_submissions": submissions_part,
    "open_page": open_page_part,
    "annotation_kills": annotation_kills_part,
}
"""Those that follow them, and are given the line about the machine."""


def page() -> str:
    """The whole page, out of what is recorded."""
    lines = [
        "# Recorded measurements",
        "",
        "Made by `nox -s bench`, `nox -s bench_scorers` and `nox -s bench_library`; this page by `python -m benchmarks.table`. "
        "Weights are random.",
        "",
    ]
    for name, part in PLAIN_PARTS.items():
        for record in sorted(RESULTS.glob("speed*.json")) if name == "speed" else [RESULTS / name]:
            figures = load(record.stem)
            if figures is not None:
                lines += part(figures)
    for name, about in PARTS.items():
        figures = load(name)
        if figures is not None:
            lines += about(figures, machine_line(figures, ("python", "torch", "pillow")))
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Writes the page."""
    (RESULTS / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
