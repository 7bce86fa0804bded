"""How long moving pictures and writing scores into them takes, against an earlier version on the same disk in the same minutes.

Run in a clone with its history as ``python -m benchmarks.journal_speed``. The two versions take turns, so that a disk that is busy
with other things is busy for both. With ``strace`` the same again with some milliseconds added to every wait for the disk, as a slow
one has.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .scorers import save_results

ROOT = Path(__file__).resolve().parent.parent
EARLIER = "e620334"
"""The last commit in which every step waited for the disk alone."""


def _earlier(commit: str, folder: Path) -> Path:
    """The package as it was, in a folder."""
    archive = subprocess.run(
        ["git", "archive", commit, "imagereward_core"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def _measure(package: Path, folder: Path, pictures: int, wait_ms: float) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "benchmarks" / "journal_work.py"), str(folder), str(pictures)]
    if wait_ms:
        delay = f"inject=fsync,fdatasync:delay_exit={round(1000 * wait_ms)}"
        command = [
            "strace",
            "-f",
            "-qq",
            "--seccomp-bpf",  # else every other call of the system is made slow as well
            "-o",
            os.devnull,
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            delay,
            *command,
        ]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(output)
    return figures


def compare(earlier: Path, folder: Path, pictures: int, rounds: int, wait_ms: float = 0.0) -> dict[str, Any]:
    """Milliseconds a picture in both versions, and how many times faster this one is."""
    taken: dict[str, list[dict[str, Any]]] = {"earlier": [], "now": []}
    for _ in range(rounds):
        for name, package in (("earlier", earlier), ("now", ROOT)):
            taken[name].append(_measure(package, folder, pictures, wait_ms))
            print(name, taken[name][-1], flush=True)
    figures: dict[str, Any] = {"pictures": pictures, "rounds": rounds, "added_wait_ms": wait_ms}
    for way in ("done", "undone"):
        row: dict[str, Any] = {}
        for name, each in taken.items():
            for clock in ("seconds", "processor"):
                middle = statistics.median(1000 * one[way][clock] / pictures for one in each)
                row[f"{name}_{clock.replace('seconds', 'clock')}_ms"] = round(middle, 2)
        times = [
            before[way]["seconds"] / after[way]["seconds"]
            for before, after in zip(taken["earlier"], taken["now"], strict=True)
        ]
        figures[way] = {
            **row,
            "times_faster": round(statistics.median(times), 2),
            "least": round(min(times), 2),
            "most": round(max(times), 2),
        }
    return figures


def main() -> None:
    """Measures and writes ``journal_speed.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", default=EARLIER, help="commit of the earlier version")
    parser.add_argument(
        "--folder", type=Path, help="on the disk to measure; by default the system's temporary folder"
    )
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--wait-ms", type=float, default=8.0, help="added to every wait for the disk, with strace"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as package, tempfile.TemporaryDirectory(dir=options.folder) as name:
        earlier, folder = _earlier(options.against, Path(package)), Path(name)
        figures = {
            "what": f"PNG files of 20 KB moved into two folders and an edit made in each, then undone; against commit {options.against}",
            "disk": compare(earlier, folder, options.pictures, options.rounds),
        }
        if shutil.which("strace") and options.wait_ms:
            figures["slow_disk"] = compare(
                earlier, folder, options.pictures // 4, options.rounds, options.wait_ms
            )
    save_results("journal_speed", figures)


if __name__ == "__main__":
    main()
