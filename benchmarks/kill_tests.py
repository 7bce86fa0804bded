"""Processes killed with SIGKILL while they scan, curate, write scores back and undo. Run as ``python -m benchmarks.kill_tests``.

After every kill: no picture lost, none doubled, none half-written, no score lost that had been reported, the journal settled when it
is next opened; and at the end undo gives the folder back byte for byte. Three ways of killing:

- at random instants, over the whole library with the demo scorer (``kill_stages``), a part of it with folders on another file system;
- before chosen lines of the actions' own code, so that no gap between two operations is left out by chance (``kill_lines``);
- two processes with stores of their own on one folder at the same time, both at random instants (``kill_pairs``).

Exits with 1 where anything did not hold. Needs a system with ``fork``.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

import torch

from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.panel import Panel
from imagereward_core.scorers.requests import LoadRequest, make_panel
from imagereward_core.weights.locate import WeightSettings

from .kill_lines import KINDS, LineKills
from .kill_pairs import Pair, PairTally
from .kill_stages import ACROSS, PLANS, Plan, Round, Tally, describe_tally
from .killing import instants
from .scorers import save_results


def demo_panel() -> Panel:
    """The embedded scorer, on one thread, so that processes forked from this one can use it."""
    torch.set_num_threads(1)
    request = LoadRequest("demo", precision="fp32", device="cpu", allow_download=False)
    panel, _ = make_panel(request, LocalRuntime("cpu"), WeightSettings(allow_download=False))
    return panel


def random_kills(
    base: Path,
    plans: Sequence[Plan],
    least: int,
    pictures: int,
    seed: int,
    away: Path | None = None,
) -> Tally:
    """Rounds until every stage that the plans have was killed a fifth of ``least`` times, and all together ``least`` times."""
    tally, panel, number, shown = Tally(), demo_panel(), 0, 0
    stages = {"scan", "undo", *(plan.stage for plan in plans)}
    while min(tally.kills[stage] for stage in stages) < least // 5 or sum(tally.kills.values()) < least:
        plan = plans[number % len(plans)]
        where = None if away is None else away / f"round {number}"
        Round(base / f"round {number}", panel, plan, seed + number, pictures, tally, where).run()
        number += 1
        for line in tally.wrong[shown:]:
            print("WRONG:", line, flush=True)
        shown = len(tally.wrong)
        print(f"round {number} ({plan.action}): {tally.kills}, wrong: {len(tally.wrong)}", flush=True)
        if len(tally.wrong) > 20:
            break
    return tally


def pair_kills(base: Path, rounds: int, pictures: int, seed: int) -> PairTally:
    """Some folders, each with ten pairs of processes."""
    tally, panel = PairTally(), demo_panel()
    for number in range(rounds):
        Pair(base / f"pair {number}", panel, seed + number, pictures, tally).run(10)
        print(f"pairs {number + 1}: {tally.describe()}, wrong: {tally.wrong}", flush=True)
    return tally


def line_kills(
    base: Path, share: float, seed: int, away: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Kills before a share of all lines that runs of every kind of step, and their undoing, go through."""
    figures, wrong = {}, []
    ways: list[tuple[str, bool, Path | None]] = [
        (kind, out, None) for kind, out in product(KINDS, (False, True))
    ]
    if away is not None:
        ways += [(kind, True, away / kind) for kind in ("move", "copy")]
    for kind, out, other in ways:
        name = kind + (", to another file system" if other else ", leading out" if out else "")
        trials = LineKills(kind, base / name, leading_out=out, away=other)
        trials.while_doing(instants(seed, trials.lines, max(1, int(trials.lines * share))))
        trials.while_undoing(instants(seed, trials.lines_back, max(1, int(trials.lines_back * share))))
        trials.while_settling(
            True, instants(seed, trials.lines_back, max(1, int(trials.lines_back * share / 8))), 4, seed
        )
        trials.while_settling(
            False, instants(seed, trials.lines, max(1, int(trials.lines * share / 8))), 4, seed
        )
        figures[name] = {"lines": trials.lines, "lines_of_undo": trials.lines_back, "kills": trials.kills}
        wrong += trials.wrong
        print(f"{name}: {figures[name]}, wrong: {len(trials.wrong)}", flush=True)
    return figures, wrong


def other_file_system(base: Path) -> Path | None:
    """A folder on another file system than ``base``; None where there is none to be had."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shared.stat().st_dev != base.stat().st_dev:
        return shared
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=240, help="random kills at the least")
    parser.add_argument(
        "--across", type=int, default=80, help="random kills between two file systems at the least"
    )
    parser.add_argument(
        "--pairs", type=int, default=6, help="folders in which two processes work at the same time"
    )
    parser.add_argument("--pictures", type=int, default=24, help="pictures in the folder of a round")
    parser.add_argument("--lines", type=float, default=0.05, help="share of all lines to kill before, 0 to 1")
    parser.add_argument(
        "--away", type=Path, help="a folder on another file system (default: /dev/shm where it is one)"
    )
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--no-record", action="store_true", help="write no results")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        base = Path(folder)
        place = args.away or other_file_system(base)
        away = None if place is None else Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        tally = random_kills(base / "same", PLANS, args.kills, args.pictures, args.seed)
        across = Tally()
        if away is None:
            print("there is no other file system here: nothing is moved between two")
        elif args.across:
            across = random_kills(base / "across", ACROSS, args.across, args.pictures, args.seed, away)
        pairs = pair_kills(base, args.pairs, args.pictures, args.seed)
        lines, wrong = line_kills(base, args.lines, args.seed, away)
    wrong += [*tally.wrong, *across.wrong, *pairs.wrong]
    for line in wrong:
        print("WRONG:", line)
    if not args.no_record:
        figures = {
            "what": f"SIGKILL in folders of {args.pictures} pictures, demo scorer, seed {args.seed}",
            "seconds": round(time.perf_counter() - began, 1),
            "random": describe_tally(tally),
            "across_file_systems": describe_tally(across) if away is not None else None,
            "two_processes": pairs.describe(),
            "before_lines": lines,
            "did_not_hold": wrong,
        }
        save_results("kill_tests", figures)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
