"""What a stranger, a full disk or a damaged file can do to a folder of pictures. Run as ``python -m benchmarks.hostile_tests``.

Every case is a command, or a ComfyUI node, in a process of its own. Whatever lies in a folder: nothing outside of it changes, nothing in
it that is not ours, looking changes no journal, no picture is lost, every process ends by itself, in memory that does not grow with what
a file claims, and says what is the matter instead of how the program looks inside.

- ``strangers``: journals of a stranger's making with every command that looks or acts, and with the node *Curate Folder* (``tricks``);
- ``links``: links in a folder that lead out of it, with everything that writes;
- ``outputs``: options that name a file to write, on pictures and on files that are somebody's;
- ``folders``: undo in folders that were copied, renamed or mounted elsewhere, and two programs on one folder;
- ``disks``: disks that are full, and limits on files;
- ``bombs``: pipes, sockets and devices among the pictures, and files that are small and become large;
- ``damage``: damaged journals and libraries.

Exits with 1 where anything did not hold. Needs a system with ``fork``; what needs the right to mount is left out without it, and said.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .hostile import bombs, damage, disks, folders, links, outputs, strangers
from .hostile.arena import Arena, Case, warm_up
from .kill_tests import demo_panel
from .scorers import save_results

PARTS: dict[str, Callable[[Arena], None]] = {
    "strangers": strangers.play,
    "strangers, node": strangers.play_node,
    "links": links.play,
    "outputs": outputs.play,
    "folders": folders.play,
    "disks": disks.play,
    "bombs": bombs.play,
    "damage": damage.play,
}


def describe(cases: list[Case]) -> dict[str, Any]:
    """Figures fit for JSON: for every group what lay there, what was done, and what did not hold."""
    groups: dict[str, Any] = {}
    for name in dict.fromkeys(case.group for case in cases):
        own = [case for case in cases if case.group == name and not case.skipped]
        groups[name] = {
            "cases": len(own),
            "things": len({case.name for case in own}),
            "ways": sorted({case.way for case in own}),
            "slowest_s": max((case.seconds for case in own), default=0.0),
            "most_mib": max((case.grown_mib for case in own), default=0.0),
            "skipped": sorted(
                {f"{case.name}: {case.skipped}" for case in cases if case.group == name and case.skipped}
            ),
            "did_not_hold": [f"{case.name}, {case.way}: {line}" for case in own for line in case.wrong],
        }
    return groups


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(PARTS)}")
    parser.add_argument("--no-record", action="store_true", help="write no results")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    logging.disable(logging.WARNING)
    demo_panel()  # so that the processes forked from this one need not load torch
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(Path(folder))
        warm_up(Path(folder, "warm"))
        for name in args.parts or PARTS:
            started, cases = time.perf_counter(), len(arena.cases)
            PARTS[name](arena)
            print(
                f"{name}: {len(arena.cases) - cases} cases, {time.perf_counter() - started:.0f} s", flush=True
            )
    groups = describe(arena.cases)
    for name, row in groups.items():
        print(
            f"{name:<32} {row['cases']:>5} cases, {len(row['did_not_hold'])} did not hold, slowest {row['slowest_s']:.1f} s"
        )
    if not args.no_record and not args.parts:
        figures = {
            "what": "every case a command or a node in a process of its own, demo scorer",
            "seconds": round(time.perf_counter() - began, 1),
            "groups": groups,
        }
        save_results("hostile_tests", figures)
    return 1 if any(row["did_not_hold"] for row in groups.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
