"""Models of every kind are read from diffusers' folders, and draw what diffusers' own pipelines draw."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.lora.names import DENOISER, place_of
from imagereward_lab.refl.methods.drawing import draw, walk
from imagereward_lab.refl.methods.options import MethodOptions
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

from tests.support.lab.pipelines import MAKERS, PROMPTS, write_pipeline  # noqa: E402

SIZES = {"sd1": (16, 24), "sd2": (16, 16), "sdxl": (16, 24), "sd3": (16, 24), "flux": (16, 24)}


@pytest.fixture(scope="module", params=list(MAKERS))
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    pipeline = write_pipeline(request.param, folder, tmp_path_factory.mktemp("tokens"))
    return request.param, load_base(folder), pipeline


def generators(number=2):
    return [torch.Generator().manual_seed(seed) for seed in range(number)]


def test_pictures_are_those_of_diffusers_own_pipeline(made):
    kind, base, pipeline = made
    height, width = SIZES[kind]
    options = MethodOptions(steps=4, guidance=3.0, height=height, width=width)
    noise = base.noise(generators(), height, width)
    given = {
        "latents": noise,
        "num_inference_steps": 4,
        "guidance_scale": 3.0,
        "height": height,
        "width": width,
    }
    if kind == "flux":
        given["latents"] = pipeline._pack_latents(noise, 2, 4, height // 2, width // 2)
    else:
        given["negative_prompt"] = ["", ""]
    with torch.no_grad():
        expected = pipeline(list(PROMPTS), output_type="pt", **given).images
    conditions = base.encode(PROMPTS)
    found = draw(base, conditions, generators(), options)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found.std() > 0.05
    assert (found[0] - found[1]).abs().max() > 0.01
    # a guard against prompts that make no difference
    other = draw(base, base.encode(PROMPTS[::-1]), generators(), options)
    assert (other - found).abs().max() > 1e-4


def test_prompts_that_are_kept_and_rows_alone_are_the_same(made, monkeypatch):
    kind, base, _ = made
    both = base.encode(PROMPTS)
    alone = base.encode(PROMPTS[1:])
    torch.testing.assert_close(both.rows([1]).states, alone.states)
    base.keep(PROMPTS)
    monkeypatch.setattr(base, "read", None)
    kept = base.encode(PROMPTS)
    torch.testing.assert_close(kept.states, both.states)
    assert (kept.pooled is None) == (kind in ("sd1", "sd2"))
    assert len(base.empty(3)) == 3


def test_what_a_prompt_is_too_long_for_is_told(made):
    base = made[1]
    long = "red " * 600
    conditions = base.encode(["red star", long])
    assert conditions.cut[0] == "" and conditions.cut[1].endswith("red")
    assert conditions.states.isfinite().all()


def test_layers_of_a_lora_lie_in_the_denoiser_more_of_them_in_blocks_and_convolutions_in_all(made):
    base = made[1]
    few, many, most = base.targets("attention"), base.targets("blocks"), base.targets("all")
    assert few and set(few) < set(many) <= set(most)
    has_convolutions = any(isinstance(module, torch.nn.Conv2d) for module in base.denoiser.modules())
    assert any(".resnets.0.conv1" in name for name in most) == (
        has_convolutions and base.kind in ("sd", "sdxl")
    )
    for name in most:
        assert base.denoiser.get_submodule(name).weight.ndim in (2, 4)
        assert place_of(base.kind, DENOISER, name, base.denoiser).name


def test_a_row_of_a_batch_does_not_depend_on_the_others(made):
    base = made[1]
    options = MethodOptions(steps=4, eta=0.0 if base.prediction == "flow" else 1.0, height=16, width=16)
    schedule = base.schedule(4, 16, 16)
    conditions = base.encode(PROMPTS)
    both = walk(base, schedule, conditions, base.noise(two := generators(), 16, 16), [1, 3], options, two)
    own = generators()
    noise = base.noise(own, 16, 16)
    alone = walk(base, schedule, conditions.rows([1]), noise[1:], [3], options, own[1:])
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-4)


def test_the_loss_of_denoising_is_that_of_the_kind(made):
    base = made[1]
    conditions = base.encode(PROMPTS)
    latents, noise = torch.randn(2, 2, base.latent_channels, 8, 8, generator=generators()[0])
    timesteps = base.draw_timesteps(generators())
    assert timesteps.shape == (2,) and (timesteps >= 0).all() and (timesteps <= 1000).all()
    found = base.denoising_loss(latents, conditions, noise, timesteps)
    signal, level = (each.float()[:, None, None, None] for each in base.levels(timesteps))
    wanted = {
        "epsilon": noise,
        "v_prediction": signal * noise - level * latents,
        "flow": noise - latents,
    }[base.prediction]
    guess = base.denoise(signal * latents + level * noise, timesteps, conditions, 1.0)
    torch.testing.assert_close(found, (guess - wanted).pow(2).mean(dim=(1, 2, 3)), rtol=1e-4, atol=1e-5)
    images = torch.rand(2, 3, 16, 16)
    back = base.encode_images(images)
    drawn = base.encode_images(images, generators())
    assert back.shape == drawn.shape == (2, base.latent_channels, 8, 8) and not torch.equal(back, drawn)
    scale, shift = base.vae.config.scaling_factor, base.vae.config.shift_factor or 0
    expected = (base.vae.encode(images * 2 - 1).latent_dist.mean - shift) * scale
    torch.testing.assert_close(back, expected)


def test_sizes_that_do_not_fit_are_refused(made):
    base = made[1]
    with pytest.raises(TrainingError, match="multiples of 4"):
        base.noise(generators(), 18, 16)


@pytest.fixture
def folder(tmp_path):
    write_pipeline("sd1", tmp_path / "model", tmp_path / "tokens")
    return tmp_path / "model"


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_folders_that_cannot_be_used_say_why(folder, tmp_path):
    index = folder / "model_index.json"
    whole = index.read_text()

    def refused(words):
        with pytest.raises(TrainingError, match=words):
            load_base(folder)

    edit(index, _class_name="LTXPipeline")
    refused("_class_name 'LTXPipeline'; expected one of StableDiffusionPipeline")
    edit(index, _class_name=["StableDiffusionPipeline"])
    refused("expected one of StableDiffusionPipeline")
    index.write_text("[]")
    refused("holds a list")
    index.write_text("{")
    refused("cannot be read")
    index.write_text(whole)
    edit(index, text_encoder=[None, None])
    refused("names no text_encoder")
    edit(index, text_encoder=["transformers", "EvilModel"])
    refused("text_encoder is a EvilModel; expected one of CLIPTextModel")
    index.write_text(whole)
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.rename(folder / "unet" / "diffusion_pytorch_model.bin")
    refused("has no .safetensors .*Files of pickles are not read")
    (folder / "unet" / "diffusion_pytorch_model.bin").rename(weights)
    weights.write_bytes(weights.read_bytes()[:1000])
    refused("cannot be read as a UNet2DConditionModel")
    shutil.rmtree(folder / "unet")
    refused("no folder unet")
    with pytest.raises(TrainingError, match="a folder without model_index.json"):
        load_base(tmp_path)
    with pytest.raises(TrainingError, match="there is no "):
        load_base(tmp_path / "none.safetensors")


def test_a_scheduler_that_says_another_prediction_is_refused_unless_told(folder):
    edit(folder / "scheduler" / "scheduler_config.json", prediction_type="sample")
    with pytest.raises(TrainingError, match="prediction_type 'sample'; expected epsilon or v_prediction"):
        load_base(folder)
    assert load_base(folder, prediction="v_prediction").prediction == "v_prediction"
