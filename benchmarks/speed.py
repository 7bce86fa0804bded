"""How fast are we, against the published reference, with the same random weights and the same pictures, on the CPU?

Run as ``python -m benchmarks.speed``. Every round measures all variants in turn, so that a machine which is busy for a while slows all of
them; what is reported is the ratio to the reference within the same round, median [least..most]. Loading is measured in fresh
processes, also in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .machine import peak_rss_mib, rss_mib
from .pictures import PROMPTS, scene
from .random_weights import ensure_random_checkpoint
from .reference import load_reference
from .scorers import make_scorer, save_results

PROMPT = PROMPTS["usual"]
FIVE = [PROMPT, *(text for name, text in PROMPTS.items() if name not in ("usual", "empty"))]
LOADS = ("reference", "pt-fp32", "safetensors-fp32", "safetensors-bf16")


def variants(checkpoint: Path, pictures: list[Any]) -> dict[str, Callable[[], object]]:
    """What is timed, by name. Each scores all pictures once, but for the last two."""
    with contextlib.redirect_stdout(io.StringIO()):
        reference = load_reference(checkpoint)

    def run_reference() -> object:
        with torch.no_grad():
            return reference.score(PROMPT, pictures)

    timed: dict[str, Callable[[], object]] = {"reference": run_reference}
    for precision, batches in (("fp32", (8, 1)), ("bf16", (8, 4, 1)), ("fp16", (8,))):
        scorer = make_scorer(checkpoint, precision)  # type: ignore[arg-type]
        for batch in batches:

            def run(scorer: Any = scorer, batch: int = batch) -> object:
                scorer.batch_size = batch
                return scorer.score(pictures, PROMPT)

            timed[f"{precision}, batch {batch}"] = run
        if precision == "fp32":

            def run_matrix(scorer: Any = scorer) -> object:
                scorer.batch_size = 8
                return scorer.score_matrix(pictures, FIVE)

            timed["fp32, five prompts each"] = run_matrix
    timed["preprocessing alone"] = lambda: _prepare(pictures)
    return timed


def _prepare(pictures: list[Any]) -> object:
    from imagereward_core.images.preprocess import to_pixels
    from imagereward_core.images.spec import ImageSpec

    return [to_pixels(picture, ImageSpec()) for picture in pictures]


def time_in_turn(timed: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every variant in every round; a first round warms up and is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - began)
        print(f"round {number} of {rounds}", flush=True)
    return seconds


def speed_table(seconds: dict[str, list[float]], pictures: int) -> dict[str, Any]:
    """Pictures per second (best round) and the ratio to the reference (median, least, most over rounds)."""
    table: dict[str, Any] = {}
    for name, row in seconds.items():
        # Five prompts cost the reference five runs: it encodes the picture anew for each.
        work = 5 if name.endswith("five prompts each") else 1
        ratios = [work * base / own for base, own in zip(seconds["reference"], row)]
        table[name] = {
            "pictures_per_second": round(pictures / min(row), 3),
            "times_reference": round(statistics.median(ratios), 3),
            "least": round(min(ratios), 3),
            "most": round(max(ratios), 3),
        }
    return table


def child_load(kind: str, folder: Path) -> dict[str, float]:
    """Loads one way in this process and says how long it took and how much memory it used, in MiB above that of the imports."""
    picture = scene(512, 512, 1)
    if kind == "reference":
        from .reference import import_reference

        import_reference()
        load: Callable[[], Any] = lambda: load_reference(folder / "ImageReward-random.pt")  # noqa: E731
    else:
        import imagereward_core.scorers.families.imagereward
        import imagereward_core.scorers.registry
        import imagereward_core.weights.checkpoint
        import imagereward_core.weights.store  # noqa: F401

        source, precision = kind.split("-")
        load = lambda: make_scorer(folder / f"ImageReward-random.{source}", precision)  # type: ignore[arg-type]  # noqa: E731
    import transformers  # noqa: F401
    from transformers import BertTokenizer  # noqa: F401

    before = rss_mib()
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        model = load()
    loaded = time.perf_counter()
    peak_load = peak_rss_mib()
    with torch.no_grad():
        model.score(PROMPT, [picture, picture]) if kind == "reference" else model.score([picture] * 2, PROMPT)
    return {
        "load_s": loaded - began,
        "first_scores_s": time.perf_counter() - loaded,
        "peak_at_load_mib": peak_load - before,
        "peak_after_scoring_mib": peak_rss_mib() - before,
    }


def measure_loading(folder: Path, times: int) -> dict[str, Any]:
    """Medians over fresh processes, the ways in turn."""
    rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in LOADS}
    for _ in range(times):
        for kind in LOADS:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.speed", "--child", kind, "--cache", str(folder)],
                capture_output=True,
                text=True,
                check=True,
            )
            rows[kind].append(json.loads(done.stdout.splitlines()[-1]))
        print(f"loading: {len(rows['reference'])} of {times}", flush=True)
    table = {
        kind: {name: round(statistics.median(row[name] for row in made), 3) for name in made[0]}
        for kind, made in rows.items()
    }
    for kind in LOADS:
        ratios = [base["load_s"] / own["load_s"] for base, own in zip(rows["reference"], rows[kind])]
        table[kind]["times_faster_to_load"] = round(statistics.median(ratios), 2)
        size = 893.0 if kind.endswith("bf16") else 1704.0
        table[kind]["peak_at_load_by_weights"] = round(table[kind]["peak_at_load_mib"] / size, 3)
    return table


def measure_import(times: int) -> dict[str, Any]:
    """Milliseconds that ``import imagereward_core`` takes in a fresh process, and whether torch came along."""
    code = (
        "import time; t = time.perf_counter(); import imagereward_core; t = time.perf_counter() - t; "
        "import sys; print(1000 * t, 'torch' in sys.modules)"
    )
    figures = []
    for _ in range(times):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        milliseconds, with_torch = done.stdout.split()
        figures.append(float(milliseconds))
    return {
        "median_ms": round(statistics.median(figures), 2),
        "most_ms": round(max(figures), 2),
        "loads_torch": with_torch == "True",
    }


def main() -> None:
    """Measures and writes ``speed.json``, or the name given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder for the random weights")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument(
        "--name", default="speed", help="name of the result, speed or speed-...: one for each machine"
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--child", choices=LOADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child_load(options.child, options.cache)))
        return
    checkpoint = ensure_random_checkpoint(options.cache)
    folder = checkpoint.parent
    _also_as_safetensors(checkpoint)
    loading = measure_loading(folder, 4)
    imports = measure_import(10)
    pictures = [scene(512, 512, seed) for seed in range(options.pictures)]
    seconds = time_in_turn(variants(checkpoint, pictures), options.rounds)
    table = speed_table(seconds, len(pictures))
    figures = {
        "what": f"{len(pictures)} pictures of 512 x 512 (Pillow), one prompt of 19 tokens, {options.rounds} rounds, random weights",
        "speed": table,
        "loading": loading,
        "import": imports,
    }
    save_results(options.name, figures, options.output)
    for name, row in table.items():
        print(
            f"{name:28s} {row['pictures_per_second']:8.2f} pictures/s  {row['times_reference']:6.2f} x [{row['least']}..{row['most']}]"
        )
    print(json.dumps({"loading": loading, "import": imports}, indent=1))


def _also_as_safetensors(checkpoint: Path) -> None:
    from imagereward_core.weights.checkpoint import convert

    target = checkpoint.with_suffix(".safetensors")
    if not target.exists():
        convert(checkpoint, target)


if __name__ == "__main__":
    main()
