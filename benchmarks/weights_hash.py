"""Measures what it costs to name a set of weights by its tensors. Run as ``python -m benchmarks.weights_hash``.

Full-size random weights are loaded with and without hashing, by turns in one process; "loaded" means that every number of the network
has been read. Files lie in the system's cache of files, so that the disk does not hide the cost. A file is hashed once and then
remembered; what remembering costs is measured too.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from imagereward_core.nets.config import RewardConfig
from imagereward_core.scorers.registry import load_network
from imagereward_core.weights.checkpoint import convert, tensors_sha256
from imagereward_core.weights.checkpoint.fingerprint import read_tensors

from .machine import describe, peak_rss_mib
from .random_weights import random_state_dict
from .scorers import save_results


def load(path: Path) -> float:
    """Loads a checkpoint and reads all of it; returns a number that depends on every tensor."""
    network = load_network(RewardConfig(), path, torch.float32)
    return sum(float(tensor.sum()) for tensor in network.state_dict().values())


def seconds(work: Callable[[], Any]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(path: Path, rounds: int) -> dict[str, Any]:
    """Times by turns, in seconds: loading, hashing and loading, asking for what is remembered."""
    read_tensors(path, None)
    tensors_sha256(path)
    plain, hashed, asked = [], [], []
    for _ in range(rounds):
        plain.append(seconds(lambda: load(path)))
        hashed.append(seconds(lambda: (read_tensors(path, None), load(path))))
        asked.append(seconds(lambda: tensors_sha256(path)))
    ratios = [with_hash / without for with_hash, without in zip(hashed, plain, strict=True)]
    return {
        "bytes": path.stat().st_size,
        "load_s": round(statistics.median(plain), 3),
        "hash_and_load_s": round(statistics.median(hashed), 3),
        "remembered_s": round(statistics.median(asked), 5),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_least": round(min(ratios), 2),
        "ratio_most": round(max(ratios), 2),
    }


def memory_of_hashing(path: Path) -> float:
    """Most memory of a process that only hashes the file, in MiB, mapped pages of the file included."""
    command = [sys.executable, "-m", "benchmarks.weights_hash", "--peak", str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measures both forms of the checkpoint and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured (default: 7)")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        read_tensors(args.peak, None)
        print(peak_rss_mib())
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "random.pt"
        torch.save(random_state_dict(), source)
        forms = {"pt": source, "safetensors": convert(source, source.with_suffix(".safetensors")).target}
        figures: dict[str, Any] = {name: measure(path, args.rounds) for name, path in forms.items()}
        if read_tensors(forms["pt"], None) != read_tensors(forms["safetensors"], None):
            raise SystemExit("the two forms of one set of weights have different names")
        figures["peak_mib_of_hashing"] = round(memory_of_hashing(forms["safetensors"]))
    result = {**describe(), "rounds": args.rounds, **figures}
    save_results("weights_hash", result)
    print(result)


if __name__ == "__main__":
    main()
