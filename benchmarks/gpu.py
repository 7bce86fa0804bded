"""How fast are we on a CUDA (or ROCm) device, how near to what its matrix units can do, and do we survive when it is full?

Run as ``python -m benchmarks.gpu``; exits with a sentence and status 0 where there is no such device. The published reference is measured
too where its package is installed (``benchmarks/requirements.txt``), otherwise left out. Weights are random and of full size.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from imagereward_core.runtime import Precision
from imagereward_core.scorers.families.imagereward import ImageRewardScorer
from imagereward_core.scorers.tokenizers.bert import pad_ids

from .parity import compare
from .pictures import PROMPTS, make_pictures, scene
from .random_weights import ensure_random_checkpoint
from .scorers import make_scorer, save_results

PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
BATCHES = (1, 4, 16, 32, 64, 128, 256)
PROMPT = PROMPTS["usual"]


def seconds(run: Callable[[], object], device: torch.device, repeats: int) -> list[float]:
    """Wall time of each of ``repeats`` runs, after one that warms up, the device being idle before and after."""
    taken = []
    for number in range(repeats + 1):
        synchronise(device)
        began = time.perf_counter()
        run()
        synchronise(device)
        if number:
            taken.append(time.perf_counter() - began)
    return taken


def synchronise(device: torch.device) -> None:
    """Waits until the device has nothing left to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_rate(dtype: torch.dtype, device: torch.device, size: int, repeats: int) -> float:
    """The most TFLOP/s seen in a product of two square matrices."""
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / min(seconds(lambda: left @ right, device, repeats)) / 1e12


def flops_per_pair(scorer: ImageRewardScorer) -> int:
    """Floating-point operations of one picture with the prompt, counted by torch."""
    network, device = scorer.network, scorer.runtime.device
    ids, mask = pad_ids([scorer.encoder(PROMPT).ids])
    side = scorer.spec.size
    counter = FlopCounterMode(display=False)
    # Gradients on, so that a CPU takes the plain layers, whose work torch can count.
    with scorer.runtime.resident(network), counter:
        image = network.encode_images(torch.zeros(1, 3, side, side, device=device))
        network.text_states(ids.to(device), mask.to(device), image)
    return counter.get_total_flops()


def forward_table(
    scorer: ImageRewardScorer, batches: Sequence[int], peak: float, repeats: int
) -> dict[str, Any]:
    """The network alone, its input on the device: pictures per second and the share of the measured matrix rate, by batch."""
    network, device = scorer.network, scorer.runtime.device
    flops = flops_per_pair(scorer)
    ids, mask = (part.to(device) for part in pad_ids([scorer.encoder(PROMPT).ids]))
    table: dict[str, Any] = {}
    for batch in batches:
        pixels = torch.randn(batch, 3, scorer.spec.size, scorer.spec.size, device=device)

        @torch.inference_mode()
        def run(pixels: torch.Tensor = pixels, batch: int = batch) -> object:
            image = network.encode_images(pixels)
            return network.text_states(ids.expand(batch, -1), mask.expand(batch, -1), image)

        try:
            rate = batch / min(seconds(run, device, repeats))
        except torch.cuda.OutOfMemoryError:
            table[str(batch)] = "the device is full"
            break
        tera = rate * flops / 1e12
        table[str(batch)] = {
            "pictures_per_second": round(rate, 2),
            "tflops": round(tera, 2),
            "share_of_peak": round(tera / peak, 3),
        }
    return table


def source_table(scorer: ImageRewardScorer, folder: Path, number: int, repeats: int) -> dict[str, float]:
    """Whole calls of ``score``, pictures per second, by where the pictures come from."""
    device = scorer.runtime.device
    pictures = [scene(512, 512, seed) for seed in range(number)]
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: [folder / f"{seed}.{kind}" for seed in range(number)] for kind in ("png", "jpg")}
    for paths in files.values():
        for path, picture in zip(paths, pictures):
            picture.save(path, quality=90)  # a PNG has none
    batch = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).to(device).float() / 255
    sources: dict[str, Any] = {
        "tensor on the device": batch,
        "Pillow": pictures,
        **{f"{kind} files": paths for kind, paths in files.items()},
    }
    return {
        name: round(number / min(seconds(partial(scorer.score, source, PROMPT), device, repeats)), 2)
        for name, source in sources.items()
    }


def survive_full_device(checkpoint: Path, folder: Path, device: torch.device) -> dict[str, Any]:
    """Scores with only 600 MiB left beside the network and a batch of 256, and says whether the scores came out the same."""
    pictures = list(make_pictures(folder).values()) * 8
    scorer = make_scorer(checkpoint, "fp32", str(device), batch_size=8)
    expected = scorer.score_matrix(pictures, [PROMPT])
    scorer.batch_size = 256
    torch.cuda.empty_cache()
    total = torch.cuda.mem_get_info(device)[1]
    torch.cuda.set_per_process_memory_fraction(
        (torch.cuda.memory_reserved(device) + 600 * 2**20) / total, device
    )
    refused = _times_out_of_memory(scorer)
    try:
        given = scorer.score_matrix(pictures, [PROMPT])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    return {
        "pictures": len(pictures),
        "times_the_device_was_full": refused[0],
        "all_scored": bool(np.isfinite(given).all()),
        "max_abs_difference": float(np.abs(given - expected).max()),
    }


def _times_out_of_memory(scorer: ImageRewardScorer) -> list[int]:
    """A counter, in a list, of how often the scorer finds the device full from now on."""
    count = [0]
    asked = scorer.runtime.is_out_of_memory

    def counted(error: BaseException) -> bool:
        full = asked(error)
        count[0] += full
        return full

    scorer.runtime.is_out_of_memory = counted  # type: ignore[method-assign]
    return count


def reference_table(checkpoint: Path, device: torch.device, repeats: int) -> dict[str, float] | None:
    """The published package's ``score`` of 32 Pillow pictures on the device; None where it is not installed."""
    if importlib.util.find_spec("ImageReward") is None:
        return None
    from .reference import load_reference

    with contextlib.redirect_stdout(io.StringIO()):
        model = load_reference(checkpoint)
    model.to(device)
    model.device = device
    pictures = [scene(512, 512, seed) for seed in range(32)]
    with torch.no_grad():
        best = min(seconds(lambda: model.score(PROMPT, pictures), device, repeats))
    return {"pictures_per_second": round(32 / best, 2)}


def measure(
    checkpoint: Path, device: torch.device, batches: Sequence[int], repeats: int, size: int
) -> dict[str, Any]:
    """All figures; ``size`` is the side of the matrices for the peak rate, and up to ``batches[-1]`` pictures are scored per call."""
    folder = checkpoint.parent / "pictures"
    odd = [picture for name, picture in make_pictures(folder).items() if "one pixel" not in name]
    figures: dict[str, Any] = {"reference": reference_table(checkpoint, device, repeats), "precisions": {}}
    exact = None
    for precision in PRECISIONS:
        scorer = make_scorer(checkpoint, precision, str(device))
        peak = matmul_rate(scorer.runtime.dtype, device, size, repeats)
        scores = scorer.score_matrix(odd, list(PROMPTS.values()))
        exact = scores if exact is None else exact
        figures["precisions"][precision] = {
            "peak_matmul_tflops": round(peak, 2),
            "forward_by_batch": forward_table(scorer, batches, peak, repeats),
            "score_pictures_per_second": source_table(scorer, folder / "many", batches[-1], repeats),
            "against_fp32": compare(scores, exact),
        }
        print(precision, figures["precisions"][precision], flush=True)
        del scorer
    return figures


def main() -> None:
    """Measures and writes ``gpu.json``, where there is a device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder for the random weights")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print(
            "No CUDA or ROCm device is present, so there is nothing to measure. On a CPU: python -m benchmarks.speed"
        )
        return
    device = torch.device("cuda")
    checkpoint = ensure_random_checkpoint(options.cache)
    figures = measure(checkpoint, device, BATCHES, options.repeats, 8192)
    figures["full_device"] = survive_full_device(checkpoint, checkpoint.parent / "pictures", device)
    save_results("gpu", figures, options.output)
    print(figures["full_device"])


if __name__ == "__main__":
    main()
