"""Damaged pictures and metadata blocks by the thousand: read, written into, and scanned. Run as ``python -m benchmarks.fuzz_metadata``.

No item may raise anything but the documented error, or take longer than the limit; an edit must leave every other byte as
it was; and every damaged picture must have its row in a library.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from imagereward_core.library.library import Library
from imagereward_core.library.store.records import Query

from . import fuzzing
from .scorers import save_results

SCANNED = 2000


class Tally:
    """The outcomes of all items, by original and damage."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.slowest: dict[tuple[str, str], float] = defaultdict(float)
        self.wrong: list[str] = []

    def run(self, items: Any, attempt: Any) -> None:
        """Try every item; what breaks a promise is noted, and the next one follows."""
        for number, item in enumerate(items):
            key = item.original, item.damage
            try:
                outcome = attempt(item)
            except (Exception, fuzzing.Hang) as error:
                self.wrong.append(
                    f"{item.original}, {item.damage}, item {number}: {type(error).__name__}: {error}"
                )
                self.rows[key]["wrong"] += 1
                continue
            self.rows[key][f"reading {outcome.reading}"] += 1
            self.rows[key][f"writing {outcome.writing}"] += 1
            self.slowest[key] = max(self.slowest[key], outcome.seconds)

    def table(self) -> list[dict[str, Any]]:
        """One row for each original and damage."""
        return [
            {
                "original": original,
                "damage": damage,
                **dict(sorted(counts.items())),
                "slowest_ms": round(1000 * self.slowest[original, damage], 1),
            }
            for (original, damage), counts in sorted(self.rows.items())
        ]


def scan_all(items: list[fuzzing.Item], folder: Path) -> dict[str, int]:
    """Every damaged picture in a folder, scanned: each has its row, or stands in the table of failures."""
    names = set()
    for number, item in enumerate(items):
        path = folder / "pictures" / f"{number:05}.{item.original.split()[0]}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(item.data)
        names.add(path.name)
    with Library.open(folder / "store") as library:
        library.scan([folder / "pictures"], None)
        rows = list(library.rows(Query()))
    known = {row.path.name for row in rows}
    failed = {row.path.name for row in rows if not row.content}
    return {
        "files": len(names),
        "rows_without_a_problem": len(known - failed),
        "rows_with_a_problem": len(failed),
        "without_a_row": len(names - known - failed),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=10_400)
    parser.add_argument("--blocks", type=int, default=1_650)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-record", action="store_true", help="write no results")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = list(
            fuzzing.items(fuzzing.picture_originals(folder), fuzzing.PICTURE_DAMAGE, args.pictures, args.seed)
        )
        tally.run(pictures, fuzzing.try_picture)
        print(
            f"{len(pictures)} pictures, {time.perf_counter() - began:.1f} s, wrong: {len(tally.wrong)}",
            flush=True,
        )
        blocks = fuzzing.items(fuzzing.block_originals(), fuzzing.BLOCK_DAMAGE, args.blocks, args.seed)
        tally.run(blocks, lambda item: fuzzing.try_block(item, folder))
        print(
            f"{args.blocks} blocks, {time.perf_counter() - began:.1f} s, wrong: {len(tally.wrong)}",
            flush=True,
        )
        step = max(1, len(pictures) // SCANNED)
        scanned = scan_all(pictures[::step], folder)
        print(f"scanned: {scanned}", flush=True)
    if scanned["without_a_row"]:
        tally.wrong.append(f"{scanned['without_a_row']} damaged pictures have no row")
    for line in tally.wrong:
        print("WRONG:", line)
    if not args.no_record:
        totals: Counter[str] = Counter()
        for counts in tally.rows.values():
            totals.update(counts)
        figures = {
            "what": "damaged pictures and metadata blocks: read, scores written into them, a part of them scanned into a library",
            "seed": args.seed,
            "items": args.pictures + args.blocks,
            "limit_s": fuzzing.LIMIT,
            "seconds": round(time.perf_counter() - began, 1),
            "slowest_ms": round(1000 * max(tally.slowest.values()), 1),
            "totals": dict(sorted(totals.items())),
            "scanned": scanned,
            "did_not_hold": tally.wrong,
            "rows": tally.table(),
        }
        save_results("fuzz_metadata", figures)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
