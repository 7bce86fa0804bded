"""How long does an update of a full-size model take on a CUDA (or ROCm) device with the command's defaults, and how much memory?

Run as ``python3 -m benchmarks.refl_gpu`` in the repository's folder, with any Python that has torch, NumPy, Pillow, safetensors, diffusers
and peft: nothing is installed or fetched, weights are random. Says so where there is no such device. The reward is ImageReward's network
at full size, also with random weights. Memory is the most that torch has had at once: aims are 12 GB for SD 1.5 and 24 GB for SDXL.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imagereward_core.images.spec import ImageSpec
from imagereward_core.images.tensors import differentiable_pixels
from imagereward_core.nets.config import RewardConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_lab.refl.methods.options import ReflOptions
from imagereward_lab.refl.tuning.tuner import Reward
from imagereward_lab.refl.tuning.update import Update
from imagereward_lab.training.initialise import initialise
from imagereward_lab.training.networks.reward import RewardTrainee
from imagereward_lab.training.state.processes import Processes
from imagereward_lab.training.validation import autocast

from .refl_work import SD15, SDXL, ModelSizes, random_base, tuner_of

MODELS = {"sd15": SD15, "sdxl": SDXL}
AIMS = {"sd15": 12.0, "sdxl": 24.0}
"""GB."""
LENGTH = 24


def full_reward(device: torch.device) -> Reward:
    """ImageReward's network with random weights; its gradient is kept alone, as the reward of a tuning keeps it."""
    network = RewardNetwork(RewardConfig())
    initialise(network, 0)
    network.to(device).eval().requires_grad_(False)
    spec = ImageSpec(size=224)
    trainee = RewardTrainee(network, spec)
    ids = torch.randint(5, 30000, (1, LENGTH), generator=torch.Generator().manual_seed(0)).to(device)

    def reward(images: Tensor, prompts: Sequence[str]) -> Tensor:
        given = images.detach().requires_grad_()
        with torch.enable_grad(), autocast(device, "bf16"):
            features = trainee.encode_images(differentiable_pixels(given.permute(0, 2, 3, 1), spec))
            rows = torch.arange(len(images), device=device)
            found = trainee.rewards(features, ids, torch.ones_like(ids), rows, torch.zeros_like(rows)).float()
        (slope,) = torch.autograd.grad(found.sum(), given)
        return found.detach() + ((images - images.detach()) * slope).flatten(1).sum(dim=1)

    return reward


def measure(
    name: str, sizes: ModelSizes, device: torch.device, updates: int, precision: str
) -> dict[str, Any]:
    """One model's figures."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]
    base, reward = random_base(sizes, device, dtype), full_reward(device)
    tuner = tuner_of(base, reward, updates + 1, ReflOptions(), False, precision=precision)
    tuner.among = Processes(device=device)
    seconds: list[float] = []

    def note(update: Update) -> None:
        seconds.append(update.seconds)

    tuner.on_update = note
    tuner.run()
    peak = torch.cuda.max_memory_allocated(device)
    row = {
        "precision": precision,
        "side": sizes.vae["sample_size"],
        "update_s": round(statistics.median(seconds[1:]), 2),
        "pictures": tuner.config.batch,
        "peak_gb": round(peak / 1e9, 2),
        "aim_gb": AIMS[name],
        "trained": sum(each.numel() for each in tuner.parameters.values()),
    }
    print(name, row, flush=True)
    return row


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes ``refl_gpu.json``, where there is a device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument("--updates", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--precisions", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(
            "No CUDA or ROCm device is present, so there is nothing to measure. On a CPU: python -m benchmarks.refl"
        )
        return
    from .scorers import save_results

    rows = {
        f"{name} {precision}": measure(name, MODELS[name], torch.device("cuda"), options.updates, precision)
        for name in options.models
        for precision in options.precisions
    }
    figures = {
        "what": (
            f"An update by ReFL with the defaults of imagereward refl, ImageReward at full size as the reward; median of {options.updates} "
            "updates, random weights, text encoders off the device"
        ),
        "models": rows,
    }
    save_results("refl_gpu", figures, options.output)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
