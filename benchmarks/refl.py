"""How long does an update of a tuning take and how much memory, against the published script's way, on the CPU?

Run as ``python -m benchmarks.refl``. A model of a middle size with the blocks of Stable Diffusion 1 and random weights is tuned to the demo
scorer in four ways: as the published script does it (the whole UNet, nothing calculated again for the gradients, one step for all pictures
of a batch), as ``imagereward refl`` does it for the reward alone, with its defaults (second loss and distance to the frozen model), and
with these and ``--no-checkpointing``. All draw as many pictures with as many steps. Each way has a fresh process, which measures time
after one update to warm up, and memory above that of the model before the first; rounds go through all ways in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from imagereward_lab.refl.methods.options import ReflOptions
from imagereward_lab.refl.tuning.tuner import Reward
from imagereward_lab.refl.tuning.update import Update

from .machine import peak_rss_mib, rss_mib
from .refl_work import MIDDLE, ModelSizes, Published, random_base, tuner_of
from .scorers import save_results

WAYS = ("published", "reward-alone", "defaults", "kept")
BATCH, ACCUMULATE = 8, 4
STEPS = ReflOptions()


def demo_reward() -> Reward:
    """The embedded demo scorer."""
    from imagereward_core.runtime import LocalRuntime
    from imagereward_core.scorers.factory import Maker
    from imagereward_core.weights.locate import WeightSettings
    from imagereward_lab.refl.reward import load_reward

    return load_reward(Maker(LocalRuntime("cpu", "fp32"), WeightSettings()), "demo")


def child(
    way: str, updates: int, sizes: ModelSizes = MIDDLE, options: ReflOptions = STEPS, batch: int = BATCH
) -> dict[str, Any]:
    """One way in this process: seconds of each update after the first, and the most memory above what the model takes, in MiB."""
    reward = demo_reward()
    base = random_base(sizes, torch.device("cpu"), torch.float32)
    before = rss_mib()
    seconds: list[float] = []
    if way == "published":
        published = Published(base, reward, max(1, batch // ACCUMULATE), ACCUMULATE, options)
        for number in range(updates + 1):
            began = time.perf_counter()
            published.update(number)
            seconds.append(time.perf_counter() - began)
    else:
        tuner = tuner_of(
            base,
            reward,
            updates + 1,
            options,
            way == "reward-alone",
            batch=batch,
            accumulate=ACCUMULATE,
            checkpointing=way != "kept",
        )

        def note(update: Update) -> None:
            seconds.append(update.seconds)

        tuner.on_update = note
        tuner.run()
    trained = sum(each.numel() for each in base.denoiser.parameters() if each.requires_grad)
    return {"seconds": seconds[1:], "peak_mib": peak_rss_mib() - before, "trained": trained}


def fresh(way: str, updates: int) -> dict[str, Any]:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.refl", "--child", way, "--updates", str(updates)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """For each way the median time of an update, beside that of the published way in the same round, and its memory."""
    rows: dict[str, Any] = {}
    base = [statistics.median(each["seconds"]) for each in found["published"]]
    for way, rounds in found.items():
        own = [statistics.median(each["seconds"]) for each in rounds]
        rows[way] = {
            "update_s": round(statistics.median(own), 2),
            "times_published": round(statistics.median([one / other for one, other in zip(own, base)]), 2),
            "peak_mib": round(statistics.median([each["peak_mib"] for each in rounds])),
            "trained": rounds[0]["trained"],
        }
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes ``refl.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--updates", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        print(json.dumps(child(options.child, options.updates)))
        return
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for number in range(options.rounds):
        for way in WAYS:
            found[way].append(fresh(way, options.updates))
        print(f"round {number + 1} of {options.rounds}", flush=True)
    rows = table(found)
    side = MIDDLE.vae["sample_size"]
    figures = {
        "what": (
            f"An update of {BATCH} pictures of {side} x {side} in {ACCUMULATE} parts, {STEPS.steps} steps of drawing without guidance, a "
            f"UNet of {rows['published']['trained'] / 1e6:.0f} M with the blocks of Stable Diffusion 1, random weights, the demo scorer, "
            f"float32; {options.rounds} rounds of {options.updates} updates after one to warm up, each in a fresh process"
        ),
        "ways": rows,
    }
    save_results("refl", figures, options.output)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
