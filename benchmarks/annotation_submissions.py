"""A million submissions to the validators of annotation, most a step from one that keeps the protocol.

Run as ``python -m benchmarks.annotation_submissions``.

Each is judged a second time by :mod:`.protocol_oracle`, which shares no code with the validators. Recorded is how many were taken and
refused, by which faults, and how often the two disagreed: a submission taken that breaks the protocol, or refused although it keeps it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from typing import Any

from imagereward_lab.annotation.protocol.keys import BEST_WORST, PER_GENERATOR, PROTOCOL, QUICK, TOP_PICKS
from imagereward_lab.annotation.protocol.modes import faults_of

from . import protocol_oracle as oracle
from .scorers import save_results
from .submissions import damaged, document, small_document

PROMPTS = ("a red star", "a fox in the snow, highly detailed, 8k", "\U0001f98a fox", "x")
SHARE_OF_PROTOCOL = 0.7


def keeps(mode: str, answer: Any, prompt: str, images: tuple[str, ...]) -> bool:
    """What the oracle says."""
    if mode == PROTOCOL:
        return oracle.keeps_the_protocol(answer, prompt, images)
    if mode == BEST_WORST:
        return oracle.keeps_best_and_worst(answer, images)
    if mode == QUICK:
        return oracle.keeps_the_question(answer, images)
    return oracle.keeps_the_order(answer, images)


def run(number: int, seed: int) -> dict[str, Any]:
    """Submits so many documents, and counts."""
    rng = random.Random(seed)
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    wrongly: list[dict[str, Any]] = []
    began = time.perf_counter()
    for _ in range(number):
        mode = (
            PROTOCOL
            if rng.random() < SHARE_OF_PROTOCOL
            else rng.choice((BEST_WORST, TOP_PICKS, PER_GENERATOR, QUICK))
        )
        prompt, images = rng.choice(PROMPTS), tuple("abcdefghi"[: rng.randint(4, 9)])
        answer = document(rng, prompt, images) if mode == PROTOCOL else small_document(rng, mode, images)
        if rng.random() < 0.7:
            answer = damaged(rng, answer, images)
        faults = faults_of(mode, answer, prompt, images)
        (refused if faults else taken)[mode] += 1
        codes.update({fault.code for fault in faults})
        if bool(faults) == keeps(mode, answer, prompt, images):
            wrongly.append(
                {"mode": mode, "answer": repr(answer)[:500], "faults": [each.code for each in faults]}
            )
    return {
        "submissions": number,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        "taken": dict(taken),
        "refused": dict(refused),
        "refused_for": dict(codes.most_common()),
        "disagreements": len(wrongly),
        "first_disagreements": wrongly[:5],
    }


def main() -> None:
    """Runs, prints and records."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--number", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-record", action="store_true", help="print alone")
    args = parser.parse_args()
    found = run(args.number, args.seed)
    print(found)
    if not args.no_record:
        save_results("annotation_submissions", found)
    if found["disagreements"]:
        raise SystemExit(f"{found['disagreements']} disagreements")


if __name__ == "__main__":
    main()
