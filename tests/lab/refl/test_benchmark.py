"""The benchmark of tuning compares like with like: the published way changes the whole UNet, ours a LoRA, both towards the same reward."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import refl, refl_gpu, refl_work
from benchmarks.refl_work import ModelSizes, Published, random_base, tuner_of
from benchmarks.scorers import RESULTS
from benchmarks.table_tuning import refl_part, refl_proof_part
from imagereward_lab.refl.methods.options import ReflOptions
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

TINY = ModelSizes(
    unet={
        "sample_size": 8,
        "block_out_channels": [32, 32],
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
    },
    vae={
        "sample_size": 16,
        "block_out_channels": [32, 32],
        "down_block_types": ["DownEncoderBlock2D"] * 2,
        "up_block_types": ["UpDecoderBlock2D"] * 2,
        "latent_channels": 4,
    },
    states=32,
)
SHORT = ReflOptions(steps=3, first=1, last=2)


def test_every_way_takes_updates_and_changes_what_it_says():
    found = {way: [refl.child(way, 1, TINY, SHORT, batch=4)] for way in refl.WAYS}
    assert all(len(each["seconds"]) == 1 and each["seconds"][0] > 0 for (each,) in found.values())
    base = random_base(TINY, torch.device("cpu"), torch.float32)
    whole = sum(each.numel() for each in base.denoiser.parameters())
    assert found["published"][0]["trained"] == whole > 4 * found["defaults"][0]["trained"] > 0
    rows = refl.table(found)
    assert rows["published"]["times_published"] == 1
    text = "\n".join(refl_part({"what": "", "other_load": 1, "ways": rows}, ""))
    assert text.count("\n| ") == 2 + len(refl.WAYS)


def test_the_published_way_moves_pictures_towards_the_reward():
    base = random_base(TINY, torch.device("cpu"), torch.float32)
    seen = []

    def reward(images, prompts):
        seen.append(float(images.detach().mean()))
        return images.mean(dim=(1, 2, 3))

    published = Published(base, reward, 2, 1, SHORT)
    for group in published.optimiser.param_groups:
        group["lr"] = 1e-2
    for _ in range(6):
        published.update(0)  # the same pictures each time
    assert seen[-1] > seen[0]


def test_full_sizes_are_those_of_the_published_models():
    """Without memory: how many numbers they have is known of the real ones."""
    from diffusers import UNet2DConditionModel

    for sizes, millions in ((refl_work.SD15, 859.5), (refl_work.SDXL, 2567.5)):
        with torch.device("meta"):
            unet = UNet2DConditionModel(**sizes.unet)
        assert sum(each.numel() for each in unet.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def test_a_tuner_of_the_gpu_benchmark_has_the_defaults(capsys):
    base = random_base(TINY, torch.device("cpu"), torch.float32)
    tuner = tuner_of(base, lambda images, prompts: images.mean(dim=(1, 2, 3)), 1, SHORT, False, batch=2)
    tuner.run()
    assert tuner.config.rank == 16 and base.saving_memory and tuner.guards.distance_weight > 0
    if not torch.cuda.is_available():
        refl_gpu.main([])
        assert "nothing to measure" in capsys.readouterr().out


def test_an_early_generator_is_told_apart_from_the_finished_one():
    figures = json.loads((RESULTS / "refl_proof.json").read_text(encoding="utf-8"))
    whole, early = ("\n".join(refl_proof_part({**figures, "early": steps}, "")) for steps in (None, 1000))
    assert "The tiny generator, tuned" in whole and "`refl_proof.json`" in whole
    assert "learnt for 1,000 steps alone" in early and "`refl_proof_early.json`" in early
