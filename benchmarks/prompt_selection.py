"""How prompts are chosen: what a choice covers, and what it costs. Run as ``python -m benchmarks.prompt_selection``.

Coverage: 10,000 prompts in clusters of very different popularity, as directions in 48 dimensions and, where the weights of all-MiniLM-L6-v2
are on this machine, as texts that the network turns into vectors; beside as many chosen by chance (the mean of five draws).

Cost: given vectors of 384 numbers, which come as float32 from a file and are not in memory. Recorded are the seconds of each stage and the
most memory of this process that is not mapped from files. The graph takes time with the square of the number of prompts, the rest about in
proportion; what 1.8 million would take is computed from the last size so, and said to be.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imagereward_core.cli.console import Console
from imagereward_core.errors import WeightsError
from imagereward_core.weights.locate import WeightSettings
from imagereward_lab.prompts.choice import Choice, choose
from imagereward_lab.prompts.coverage import QUANTILES, Coverage
from imagereward_lab.prompts.graph.build import build_graph
from imagereward_lab.prompts.graph.supporters import supporters_of
from imagereward_lab.prompts.graph.votes import choose_by_votes
from imagereward_lab.prompts.options import SelectOptions
from imagereward_lab.prompts.vectors.minilm import load_minilm
from imagereward_lab.prompts.vectors.work import open_work

from .machine import memory_mib
from .scorers import save_results

PROMPTS = 10_000
COUNTS = (100, 1000)
WIDTH = 384
PAPER = 1_800_000
PAPER_GROUP = 20_000
CPU = torch.device("cpu")
_PARTS = (
    "portrait,castle,fox,robot,city,dragon,cat,forest,astronaut,ship,knight,car,house,dog,mountain,witch,flower,horse,bridge,owl".split(
        ","
    ),
    "in the snow,at night,on the moon,by the sea,in a library,under water,in a desert,at a market,in the rain,on a roof".split(
        ","
    ),
    "oil painting,digital art,photo,anime,watercolor,pencil sketch,3d render,pixel art,stained glass,comic".split(
        ","
    ),
    ",highly detailed,8k,trending on artstation,cinematic lighting,by greg rutkowski,unreal engine,sharp focus".split(
        ","
    ),
)


def clustered(
    count: int, width: int = 48, clusters: int = 60, spread: float = 0.7, seed: int = 0
) -> NDArray[np.float32]:
    """Vectors of length 1 around centres of very different popularity, float32 [count, width]."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, width))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    popular = 1.0 / np.arange(1, clusters + 1)
    vectors = centres[rng.choice(clusters, count, p=popular / popular.sum())]
    vectors += spread * rng.normal(size=(count, width)) / np.sqrt(width)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def composed(count: int, seed: int = 0) -> list[str]:
    """Different prompts of which some subjects, places and styles are far more frequent than others."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = []
        for part in _PARTS:
            popular = 1.0 / np.arange(1, len(part) + 1)
            words.append(part[rng.choice(len(part), p=popular / popular.sum())])
        subject, place, style, more = words
        found[
            ", ".join(filter(None, (f"a {rng.integers(2, 99)} year old {subject} {place}", style, more)))
        ] = None
    return list(found)


def coverage(vectors: NDArray[np.float32], neighbours: int) -> dict[str, Any]:
    """What choices of some of these cover."""
    with tempfile.TemporaryDirectory() as folder, open_work(Path(folder) / "work") as work:
        found: dict[str, Any] = {}
        for count in COUNTS:
            options = SelectOptions(neighbours=neighbours)
            choice: Choice = choose(work, vectors, {"benchmark": 1}, count, options, CPU, Console(quiet=True))
            found[str(count)] = {"chosen": _figures(choice.coverage), "by chance": _figures(choice.random)}
    return found


def _figures(found: Coverage) -> dict[str, float]:
    quantiles = {f"{name:.0%} within": value for name, value in zip(QUANTILES, found.quantiles)}
    figures = {
        "mean distance": found.mean,
        **quantiles,
        "all within": found.largest,
        "covered": found.covered,
    }
    return {name: round(value, 4) for name, value in figures.items()}


@contextmanager
def watched() -> Iterator[list[float]]:
    """The most anonymous memory while it lasts, in MiB, above what there was; in the list when it is over."""
    began, most, over = memory_mib("RssAnon") or 0.0, [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            most[0] = max(most[0], (memory_mib("RssAnon") or 0.0) - began)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def cost(size: int, count: int, folder: Path) -> dict[str, Any]:
    """Seconds and memory of a choice among ``size`` vectors."""
    path = folder / f"{size}.npy"
    np.save(path, clustered(size, WIDTH, clusters=1000, seed=size))
    vectors = np.load(path, mmap_mode="r")
    options = SelectOptions()
    row: dict[str, Any] = {"prompts": size, "chosen": count}
    with open_work(folder / f"work-{size}") as work, watched() as most:
        began, busy = time.perf_counter(), time.process_time()
        graph = build_graph(work, vectors, {"benchmark": size}, options, CPU)
        row["graph s"] = round(time.perf_counter() - began, 1)
        row["graph, processor s"] = round(time.process_time() - busy, 1)
    row["graph MiB"] = round(graph.neighbours.nbytes / 2**20, 1)
    row["memory while it is made MiB"] = round(most[0], 1)
    with watched() as most:
        began, busy = time.perf_counter(), time.process_time()
        supporters = supporters_of(graph.neighbours)
        chosen = choose_by_votes(supporters, count)
        row["votes s"] = round(time.perf_counter() - began, 1)
        row["votes, processor s"] = round(time.process_time() - busy, 1)
    row["memory of the votes MiB"] = round(most[0], 1)
    assert len(set(chosen.points.tolist())) == count
    print(row, flush=True)
    return row


def grown(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What 1.8 million would take on this machine, computed from the sizes that were measured."""
    last = rows[-1]
    times = PAPER / last["prompts"]
    found = {
        "from": last["prompts"],
        "whole graph, processor hours": round(last["graph, processor s"] * times**2 / 3600, 1),
        "graph GiB": round(PAPER * 150 * 4 / 2**30, 2),
        "votes, processor min": round(
            last["votes, processor s"] * max(times, 10_000 / last["chosen"]) / 60, 1
        ),
    }
    if len(rows) > 1:
        first = rows[0]
        power = np.log(last["graph, processor s"] / first["graph, processor s"]) / np.log(
            last["prompts"] / first["prompts"]
        )
        found["time of the graph grows with the power"] = round(float(power), 2)
    near = min(rows, key=lambda row: abs(row["prompts"] - PAPER_GROUP))
    groups = PAPER / near["prompts"]
    found["in groups of"] = near["prompts"]
    found["in groups, processor hours"] = round(near["graph, processor s"] * groups / 3600, 2)
    return found


def texts(folder: Sequence[Path]) -> NDArray[np.float32] | None:
    """Vectors of composed prompts by all-MiniLM-L6-v2; None where its weights are not on this machine."""
    try:
        network = load_minilm(WeightSettings(folders=tuple(folder), allow_download=False))
    except WeightsError as error:
        print(f"without texts: {error}")
        return None
    return network.encode(composed(PROMPTS), CPU)


def main() -> None:
    """Measures and records."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", default="20000,50000,200000", help="numbers of prompts, ascending (default: %(default)s)"
    )
    parser.add_argument(
        "--count", type=int, default=10_000, help="the most to choose; of few prompts a tenth"
    )
    parser.add_argument(
        "--models-dir",
        type=Path,
        action="append",
        default=[],
        help="where the weights of the network for sentences are",
    )
    parser.add_argument("--results", type=Path, help="folder to write the record into")
    args = parser.parse_args()
    figures: dict[str, Any] = {
        "what": f"{PROMPTS:,} prompts in clusters; distances are 1 - cosine to the nearest chosen one",
        "directions": coverage(clustered(PROMPTS), 150),
    }
    if (vectors := texts(args.models_dir)) is not None:
        figures["texts"] = coverage(vectors, 150)
    print(figures, flush=True)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, args.sizes.split(",")):
            rows.append(cost(size, min(args.count, size // 10), Path(folder)))
            figures |= {"cost": rows, "1.8 million": grown(rows)}
            save_results(
                "prompt_selection", figures, args.results
            )  # after each, since the next may take hours


if __name__ == "__main__":
    main()
