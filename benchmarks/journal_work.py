"""One measurement of ``journal_speed``, in a process of its own so that it runs with the package that ``PYTHONPATH`` names.

Moves pictures and writes scores into them, and takes it back. Prints seconds of the clock and of the processor as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    _journal: Any = import_module("imagereward_core.library.journal")
    _splice: Any = import_module("imagereward_core.metadata.writing.splice")
    open_journal = _journal.open_journal
except ImportError:  # a version that is measured against, from before the rooms were as they are
    _journal = import_module("imagereward_core.library.actions")
    _splice = import_module("imagereward_core.images.metadata.writing.splice")
    open_journal = _journal.Journal.open
Step, execute, undo, Splice = _journal.Step, _journal.execute, _journal.undo, _splice.Splice


def measure(folder: Path, pictures: int) -> dict[str, Any]:
    """The two halves of a run of ``2 * pictures`` steps."""
    generator = random.Random(0)
    steps = []
    for number in range(pictures):
        picture = folder / f"{number:05}.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n" + generator.randbytes(20_000))
        goal = folder / ("kept" if number % 2 else "rejected") / picture.name
        steps.append(Step("move", picture, goal))
        steps.append(Step("edit", goal, goal, (Splice(8, b"", b"scores" * 50),)))
    figures = {}
    with open_journal(folder / ".imagereward") as journal:
        run = journal.begin("benchmark", steps)
        ways: dict[str, Callable[[], Any]] = {
            "done": lambda: execute(journal, run),
            "undone": lambda: undo(journal, run),
        }
        for name, way in ways.items():
            began, worked = time.perf_counter(), time.process_time()
            result = way()
            figures[name] = {
                "seconds": time.perf_counter() - began,
                "processor": time.process_time() - worked,
            }
            if result.failed or result.done != len(steps):
                raise SystemExit(f"{result.done} of {len(steps)} steps {name}: {result.failed[:3]}")
    return figures


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as name:
        print(json.dumps(measure(Path(name), int(sys.argv[2]))))
