"""Processes killed with SIGKILL while they scan, curate, write scores back and undo. Run as ``python -m benchmarks.kill_tests``.

After every kill: no picture lost, none doubled, none half-written, no score lost that had been reported, the journal settled when it
is next opened; and at the end undo gives the folder back byte for byte. Two ways of killing:

- at random instants, over the whole library with the demo scorer (``kill_stages``);
- before chosen lines of the actions' own code, so that no gap between two operations is left out by chance (``kill_lines``).

Exits with 1 where anything did not hold. Needs a system with ``fork``.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch

from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.loading import LoadRequest, make_panel
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.locate import WeightSettings

from .kill_lines import KINDS, LineKills
from .kill_stages import PLANS, Round, Tally, describe_tally
from .killing import instants
from .scorers import save_results


def demo_panel() -> Panel:
    """The embedded scorer, on one thread, so that processes forked from this one can use it."""
    torch.set_num_threads(1)
    request = LoadRequest("demo", precision="fp32", device="cpu", allow_download=False)
    panel, _ = make_panel(request, LocalRuntime("cpu"), WeightSettings(allow_download=False))
    return panel


def random_kills(base: Path, least: int, pictures: int, seed: int) -> Tally:
    """Rounds until every stage has been killed a fifth of ``least`` times, and all together ``least`` times."""
    tally, panel, number, shown = Tally(), demo_panel(), 0, 0
    while min(tally.kills.values()) < least // 5 or sum(tally.kills.values()) < least:
        plan = PLANS[number % len(PLANS)]
        Round(base / f"round {number}", panel, plan, seed + number, pictures, tally).run()
        number += 1
        for line in tally.wrong[shown:]:
            print("WRONG:", line, flush=True)
        shown = len(tally.wrong)
        print(f"round {number} ({plan.action}): {tally.kills}, wrong: {len(tally.wrong)}", flush=True)
        if len(tally.wrong) > 20:
            break
    return tally


def line_kills(base: Path, share: float, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Kills before a share of all lines that runs of every kind of step, and their undoing, go through."""
    figures, wrong = {}, []
    for kind, out in product(KINDS, (False, True)):
        name = f"{kind}, leading out" if out else kind
        trials = LineKills(kind, base / name, leading_out=out)
        trials.while_doing(instants(seed, trials.lines, max(1, int(trials.lines * share))))
        trials.while_undoing(instants(seed, trials.lines_back, max(1, int(trials.lines_back * share))))
        figures[name] = {"lines": trials.lines, "lines_of_undo": trials.lines_back, "kills": trials.kills}
        wrong += trials.wrong
        print(f"{name}: {figures[name]}, wrong: {len(trials.wrong)}", flush=True)
    return figures, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=240, help="random kills at the least")
    parser.add_argument("--pictures", type=int, default=24, help="pictures in the folder of a round")
    parser.add_argument("--lines", type=float, default=0.05, help="share of all lines to kill before, 0 to 1")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--no-record", action="store_true", help="write no results")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tally = random_kills(Path(folder), args.kills, args.pictures, args.seed)
        lines, wrong = line_kills(Path(folder), args.lines, args.seed)
    wrong += tally.wrong
    for line in wrong:
        print("WRONG:", line)
    if not args.no_record:
        figures = {
            "what": f"SIGKILL in folders of {args.pictures} pictures, demo scorer, seed {args.seed}",
            "seconds": round(time.perf_counter() - began, 1),
            "random": describe_tally(tally),
            "before_lines": lines,
            "did_not_hold": wrong,
        }
        save_results("kill_tests", figures)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
