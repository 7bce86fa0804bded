"""How much data and how many frozen layers a reward model on drawn scenes wants. Run as ``python -m benchmarks.ladders``.

The ladders of the paper at the demo model's size (arXiv 2304.05977, Table 3 and 3.1), by ``imagereward train --ladder``: 25, 50 and 100 %
of the data, and 0, 30, 70 and 100 % of the layers frozen, three seeds each, all from one start. These are shortened runs that show how the
figures move, not the best that could be reached. Prompts to learn from are all different; those to validate and test on are of the tenth
that training never sees. A test ranking has eight pictures, one of them best and one worst.

Give the grounded start of the demo model with ``--start`` (after ``nox -s train_demo``: ``runs/demo/2-grounding/demo-stage.safetensors``).
The demo model itself with a new head stands in for it, and the record says which it was. What is finished in ``--work`` is not trained
again; ``--dry-run`` tells time and memory of every rung. All of it takes about 10,400 steps: 2.2 hours of one processor by what a step
took on a busy one (0.90 s with nothing frozen, 0.54 s with 70 %).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagereward_core.cli.main import main as command
from imagereward_core.plain import count_of
from imagereward_lab.data.jsonl import write_rankings
from imagereward_lab.data.prompts import prompt_key
from imagereward_lab.people.scenes import scene_task, write_scenes

from .scorers import save_results

LADDERS = {"data": "25%,50%,100%", "freeze": "0,30%,70%,100%"}
RANKINGS, VALIDATION, TEST = 1200, 80, 200
TEST_PICTURES = 8
USUAL = (
    "--batch-pairs",
    "128",
    "--validations",
    "2",
    "--patience",
    "0",
    "--warmup",
    "0.03",
    "--clip-norm",
    "1",
)
"""As for the demo model, but shorter."""


def different_prompts(number: int, seen: set[str], **drawn: Any) -> Iterator[int]:
    """Numbers of tasks whose prompts are none of ``seen``, to which they are added."""
    task = found = 0
    while found < number:
        key = prompt_key(scene_task(task, size=8, **drawn)[0].prompt)
        if key not in seen:
            seen.add(key)
            found += 1
            yield task
        task += 1


def draw(folder: Path, rankings: int, validation: int, test: int) -> Path:
    """Draws all data, where it is not there yet; returns the file of rankings."""
    file = folder / f"rankings-{rankings}-{validation}-{test}.jsonl"
    if file.is_file():
        return file
    held_out: set[str] = set()
    learnt = different_prompts(rankings, set(), held_out=False)
    found = write_scenes(folder, learnt, split="train", held_out=False)
    for split, number, seed, pictures in (("validation", validation, 1, 0), ("test", test, 2, TEST_PICTURES)):
        tasks = different_prompts(number, held_out, seed=seed)
        found += write_scenes(folder, tasks, split=split, pictures=pictures, seed=seed)
    write_rankings(file, found)
    return file


def climb(name: str, values: str, args: argparse.Namespace, file: Path) -> dict[str, Any]:
    """One ladder; its figures.

    Raises:
        SystemExit: It could not be trained; the command has said why.
    """
    output = args.work / f"{name}-{args.rankings}-{args.epochs}"
    start = ["--start", args.start] + ([] if args.keep_head else ["--fresh-head"])
    course = [
        "--freeze",
        "0",
        "--epochs",
        str(args.epochs),
        "--learning-rate",
        str(args.learning_rate),
        *USUAL,
    ]
    code = command(
        ["train", str(file), "-o", str(output), "--ladder", f"{name}={values}", "--seeds", str(args.seeds)]
        + [*start, *course, "--device", args.device, "--resume", "--no-tensorboard"]
        + (["--dry-run"] if args.dry_run else [])
    )
    if code:
        raise SystemExit(code)
    if args.dry_run:
        return {}
    found = json.loads((output / "ladder.json").read_text(encoding="utf-8"))
    rows = [
        {key: row[key] for key in ("group", "measure", "value", "low", "high", "deviation", "count")}
        for row in found["figures"]
    ]
    card = json.loads(next(output.rglob("*.card.json")).read_text(encoding="utf-8"))
    return {
        "start": card["training"]["from"],
        "settings": found["facts"]["settings"],
        "sentences": found["sentences"]["ladder"],
        "figures": rows,
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Climbs the ladders and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "ladders", nargs="*", metavar="LADDER", help=f"of {', '.join(LADDERS)} (default: all)"
    )
    parser.add_argument("--start", default="demo", help="the grounded start: a checkpoint of the demo's size")
    parser.add_argument("--keep-head", action="store_true", help="use the reward head of the start")
    parser.add_argument(
        "--work", type=Path, default=Path("ladders-work"), help="folder for pictures and trainings"
    )
    parser.add_argument(
        "--rankings", type=int, default=RANKINGS, help="rankings to learn from, each of nine pictures"
    )
    parser.add_argument(
        "--held-out",
        type=int,
        nargs=2,
        default=(VALIDATION, TEST),
        help="rankings to validate and to test on",
    )
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dry-run", action="store_true", help="only tell what each rung takes")
    parser.add_argument("--no-record", action="store_true", help="write no results")
    args = parser.parse_args(arguments)
    if unknown := set(args.ladders) - set(LADDERS):
        parser.error(f"there is no ladder {', '.join(sorted(unknown))}")
    file = draw(args.work / "scenes", args.rankings, *args.held_out)
    ladders = {name: climb(name, LADDERS[name], args, file) for name in args.ladders or LADDERS}
    named = "/".join(Path(args.start).parts[-2:])
    start = f"{named}{'' if args.keep_head else ' with a new head'}"
    result = {
        "what": f"shortened runs of {args.epochs} epochs on {args.rankings:,} rankings of drawn scenes, "
        f"{count_of(args.seeds, 'seed')}, start: {start}; tested on {args.held_out[1]} held-out rankings of {TEST_PICTURES} pictures",
        "ladders": ladders,
    }
    if not args.dry_run and not args.no_record:
        save_results("ladders", result)
    return result


if __name__ == "__main__":
    main()
