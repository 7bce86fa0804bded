"""Checkpoints of one file: kind and sizes follow from their tensors, and they are the same model as a folder of diffusers."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_core.cli.exits import OTHER
from imagereward_core.cli.main import main
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_lab.demo_model.stages import write_json
from imagereward_lab.generator.layout import to_checkpoint
from imagereward_lab.generator.networks import Generator, GeneratorConfig
from imagereward_lab.refl import command
from imagereward_lab.refl.bases.load import check_base, load_base
from imagereward_lab.refl.bases.single import load as single
from imagereward_lab.refl.bases.single.layout import UNET
from imagereward_lab.refl.bases.single.unet import unet_config
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

from tests.support.lab.pipelines import (  # noqa: E402
    PROMPTS,
    write_clip_tokenizer,
    write_pipeline,
    write_t5_tokenizer,
)
from tests.support.lab.single_files import flux_state, sd3_state, single_state, unet_state  # noqa: E402


def write(path, state, tokenizer):
    """Writes a checkpoint with our vocabulary beside it, which is smaller than CLIP's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    if tokenizer:
        write_clip_tokenizer(path.parent)
    return path


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl", "sd3", "flux"])
def test_a_single_file_is_the_same_model_as_the_folder(kind, tmp_path):
    pipeline = write_pipeline(kind, tmp_path / "folder", tmp_path / "tokens")
    flow = {"sd3": sd3_state, "flux": flux_state}.get(kind)
    state = flow(pipeline) if flow else single_state(kind, pipeline)
    file = write(tmp_path / "file" / "model.safetensors", state, True)
    if flow:
        write_t5_tokenizer(file.parent)
    told = "v_prediction" if kind == "sd2" else None
    one, other = load_base(file, prediction=told), load_base(tmp_path / "folder")
    assert type(one) is type(other) and one.prediction == other.prediction
    for mine, theirs in (
        (one.denoiser, other.denoiser),
        (one.vae, other.vae),
        *((one.text_encoders[name], each) for name, each in other.text_encoders.items()),
    ):
        wanted = theirs.state_dict()
        assert mine.state_dict().keys() == wanted.keys()
        for name, value in mine.state_dict().items():
            assert torch.equal(value, wanted[name]), name
    assert one.vae.config.scaling_factor == other.vae.config.scaling_factor
    conditions, expected = one.encode(["red star", ""]), other.encode(["red star", ""])
    torch.testing.assert_close(conditions.states, expected.states)
    if kind in ("sdxl", "sd3", "flux"):
        torch.testing.assert_close(conditions.pooled, expected.pooled)
    latents = torch.randn(2, one.latent_channels, 8, 8)
    steps = torch.tensor([500.0, 20.0])
    torch.testing.assert_close(
        one.denoise(latents, steps, conditions), other.denoise(latents, steps, expected)
    )
    for mine, theirs in zip(vars(one.schedule(5)).values(), vars(other.schedule(5)).values()):
        torch.testing.assert_close(mine, theirs)
    assert not one.parts.remarks


def test_a_file_of_sd_3_without_t5_or_its_tokenizer_says_so_and_reads_clip_alone(tmp_path):
    pipeline = write_pipeline("sd3", tmp_path / "folder", tmp_path / "tokens")
    state = sd3_state(pipeline)
    with_t5 = load_base(write(tmp_path / "file" / "model.safetensors", state, True))
    assert "put T5's tokenizer.json beside it" in with_t5.parts.remarks[0]
    fewer = {name: value for name, value in state.items() if ".t5xxl." not in name}
    base = load_base(write(tmp_path / "clips" / "model.safetensors", fewer, True))
    assert base.parts.remarks == (
        "The file has no T5, so prompts are read by the two text encoders of CLIP alone.",
    )
    shutil.rmtree(tmp_path / "folder" / "text_encoder_3")
    with pytest.raises(TrainingError, match="no folder text_encoder_3, which model_index.json promises"):
        load_base(tmp_path / "folder")
    index = tmp_path / "folder" / "model_index.json"
    write_json(index, {**json.loads(index.read_text()), "text_encoder_3": [None, None]})
    conditions, expected = (each.encode(PROMPTS) for each in (base, load_base(tmp_path / "folder")))
    torch.testing.assert_close(conditions.states, expected.states)
    assert (conditions.states[:, 77:] == 0).all() and conditions.states.shape[1] == 77 + 256


def test_a_file_of_flux_needs_the_tokenizer_of_t5_and_heads_as_published(tmp_path):
    pipeline = write_pipeline("flux", tmp_path / "folder", tmp_path / "tokens")
    state = flux_state(pipeline)
    file = write(tmp_path / "file" / "model.safetensors", state, True)
    with pytest.raises(TrainingError, match=r"lies without T5's tokenizer.json.*ComfyUI has it as"):
        load_base(file)
    write_t5_tokenizer(file.parent)
    name = f"{UNET}double_blocks.0.img_attn.norm.query_norm.scale"
    with pytest.raises(TrainingError, match="heads are 64; expected heads of 128"):
        load_base(write(file, {**state, name: torch.ones(64)}, False))
    with pytest.raises(TrainingError, match="also has 1 tensors, among them transformer_blocks.0.new"):
        load_base(write(file, {**state, f"{UNET}double_blocks.0.new.weight": torch.ones(1)}, False))


def test_a_file_of_flux_in_eight_bits_with_norms_as_comfyui_names_them(tmp_path):
    pipeline = write_pipeline("flux", tmp_path / "folder", tmp_path / "tokens")
    eight = {
        name.replace("_norm.scale", "_norm.weight"): value.to(torch.float8_e4m3fn)
        for name, value in flux_state(pipeline).items()
    }
    file = write(tmp_path / "model.safetensors", eight, True)
    write_t5_tokenizer(tmp_path)
    base = load_base(file, dtype=torch.bfloat16)
    for name, value in pipeline.transformer.state_dict().items():
        assert torch.equal(base.denoiser.state_dict()[name], value.to(torch.float8_e4m3fn).to(torch.bfloat16))


def test_a_file_of_flux_that_is_told_no_guidance_is_schnell(tmp_path):
    pipeline = write_pipeline("flux", tmp_path / "folder", tmp_path / "tokens")
    state = {name: value for name, value in flux_state(pipeline).items() if "guidance_in" not in name}
    file = write(tmp_path / "model.safetensors", state, True)
    write_t5_tokenizer(tmp_path)
    base = load_base(file)
    assert base.encode(["a red star"]).states.shape[1] == 256
    timesteps = base.schedule(4).timesteps.tolist()
    assert timesteps == pytest.approx([1000, 750, 500, 250])  # not shifted


SD1 = {"block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768, "attention_head_dim": 8}
SD2 = {
    **SD1,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}
SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


@pytest.mark.parametrize("published", [SD1, SD2, SDXL], ids=["sd1", "sd2", "sdxl"])
def test_sizes_of_the_published_models_follow_from_their_shapes(published):
    from diffusers import UNet2DConditionModel

    network = build_skeleton(lambda: UNet2DConditionModel(**published))

    class Shapes:
        shapes = {name: tuple(value.shape) for name, value in unet_state(network).items()}

        def __contains__(self, name):
            return name in self.shapes

        def shape(self, name):
            return self.shapes[name]

    found = unet_config(Shapes())
    again = build_skeleton(lambda: UNet2DConditionModel(**found))
    assert {name: value.shape for name, value in again.state_dict().items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }
    heads = found["attention_head_dim"]
    assert heads == published["attention_head_dim"]
    assert tuple(found["block_out_channels"]) == published["block_out_channels"]
    assert found["layers_per_block"] == 2


def test_a_generator_of_ours_is_read_with_its_sizes(tmp_path):
    config = GeneratorConfig(
        width=32, vae_multipliers=(1, 1, 2), text_width=32, text_heads=2, text_mlp=32, vocabulary=517
    )
    ours = Generator(config, 3)
    path = write(tmp_path / "generator.safetensors", to_checkpoint(ours), True)
    with pytest.raises(TrainingError, match="32 wide, and how many heads it has is not known"):
        load_base(path)
    write_json(tmp_path / "facts.json", {"config": config.to_dict()})
    base = load_base(path)
    assert base.kind == "sd" and base.prediction == "epsilon" and base.image_size == (64, 64)
    conditions = base.encode(PROMPTS)
    ids = base.parts.tokens["text_encoder"](PROMPTS).ids
    assert torch.equal(conditions.states, ours.states(ids))
    latents, steps = torch.randn(2, 4, 16, 16), torch.tensor([999.0, 1.0])
    with torch.no_grad():
        torch.testing.assert_close(
            base.denoise(latents, steps, conditions), ours.noise(latents, steps, conditions.states)
        )
        expected = (ours.decoded(latents) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(base.decode(latents), expected)


def test_half_precision_and_fp16_of_a_fragile_autoencoder(tmp_path):
    pipeline = write_pipeline("sdxl", tmp_path / "folder", tmp_path / "tokens")
    file = write(tmp_path / "file" / "model.safetensors", single_state("sdxl", pipeline), True)
    for path in (file, tmp_path / "folder"):
        base = load_base(path, dtype=torch.float16)
        assert base.dtype == torch.float16
        assert next(base.vae.parameters()).dtype == torch.float32
    assert next(load_base(file, dtype=torch.bfloat16).vae.parameters()).dtype == torch.bfloat16


def test_models_that_say_they_give_v_are_believed(tmp_path):
    pipeline = write_pipeline("sdxl", tmp_path / "folder", tmp_path / "tokens")
    state = single_state("sdxl", pipeline)
    marked = {**state, "v_pred": torch.tensor([]), "ztsnr": torch.tensor([])}
    base = load_base(write(tmp_path / "file" / "model.safetensors", marked, True))
    assert base.prediction == "v_prediction"
    signal, _ = base.levels(torch.tensor([999]))
    assert signal.item() == pytest.approx(0, abs=1e-6)


def test_files_that_are_no_checkpoints_to_tune_say_what_they_are(tmp_path):
    pipeline = write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    state = single_state("sd1", pipeline)
    cases = {
        "a LoRA, which is a change": {"lora_unet_mid.lora_down.weight": torch.zeros(1)},
        "an autoencoder alone": {"encoder.conv_in.weight": torch.zeros(1)},
        "a denoiser alone": {"double_blocks.0.img_attn.qkv.weight": torch.zeros(1)},
        "a single part of a folder of diffusers": {"down_blocks.0.weight": torch.zeros(1)},
        "a ControlNet": {"control_model.x": torch.zeros(1)},
        "of no known kind: its 1 tensors begin with x": {"x": torch.zeros(1)},
        "is quantised: its numbers are to be multiplied by others": {
            f"{UNET}double_blocks.0.img_attn.qkv.weight": torch.zeros(1),
            f"{UNET}double_blocks.0.img_attn.qkv.scale_weight": torch.tensor(1.0),
        },
        "a file of Flux without text encoder of CLIP": {
            f"{UNET}double_blocks.0.img_attn.qkv.weight": torch.zeros(1)
        },
        "lacks first_stage_model.decoder.conv_in.weight": {
            name: value for name, value in state.items() if not name.startswith("first_stage")
        },
        "lacks a text encoder": {
            name: value for name, value in state.items() if not name.startswith("cond_stage")
        },
        "reads 9 channels and its autoencoder makes 4": {
            **state,
            f"{UNET}input_blocks.0.0.weight": torch.zeros(32, 9, 3, 3),
        },  # for inpainting
        "the UNet of .* lacks 1 tensors, among them conv_out.bias": {
            name: value for name, value in state.items() if name != f"{UNET}out.2.bias"
        },
        "the UNet of .* another shape of 1 tensors, among them conv_out.bias": {
            **state,
            f"{UNET}out.2.bias": torch.zeros(5),
        },
    }
    for number, (words, tensors) in enumerate(cases.items()):
        path = write(tmp_path / f"{number}.safetensors", tensors, True)
        with pytest.raises(TrainingError, match=words):
            load_base(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TrainingError, match="cut short or damaged"):
        load_base(path)


def test_what_prompts_are_read_with_is_missed_before_scorers_are_loaded(tmp_path, monkeypatch, capsys):
    pipeline = write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    file = write(tmp_path / "file" / "model.safetensors", single_state("sd1", pipeline), False)
    (tmp_path / "prompts.txt").write_text("a red circle\na blue square\n", encoding="utf-8")
    find, asked = importlib.util.find_spec, []
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "open_clip" else find(name, *rest)
    )
    monkeypatch.setattr(command, "judges_of", lambda *given: asked.append(given))
    monkeypatch.setattr(single, "load_unet", lambda *given: asked.append(given))
    for verb in ("refl", "draw"):
        output = tmp_path / verb
        options = ["--model", file, "--prompts", tmp_path / "prompts.txt", "-o", output, "--device", "cpu"]
        assert main([verb, *map(str, options)]) == OTHER
        assert "pip install --no-deps open_clip_torch" in capsys.readouterr().err
        assert not asked and not output.exists()


def test_a_file_that_is_no_vocabulary_of_the_model_is_refused(tmp_path):
    pipeline = write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    file = write(tmp_path / "file" / "model.safetensors", single_state("sd1", pipeline), True)
    (tmp_path / "merges.txt").write_text("hello\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="vocabulary here has 514 tokens, and the text encoder of"):
        load_base(file, merges=tmp_path / "merges.txt")
    (tmp_path / "merges.txt.gz").write_bytes(gzip.compress(b"hello world" * 500)[:15] + b"\xff" * 20)
    with pytest.raises(TrainingError, match="cannot be read as CLIP's merges"):
        load_base(file, merges=tmp_path / "merges.txt.gz")


def test_a_text_encoder_may_know_words_beyond_clips(tmp_path, monkeypatch):
    pipeline = write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    file = write(tmp_path / "file" / "model.safetensors", single_state("sd1", pipeline), True)
    known = load_base(file).text_encoders["text_encoder"].config.vocab_size
    state, name = load_file(file), "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    more = write(file, {**state, name: torch.cat([state[name], torch.zeros(2, state[name].shape[1])])}, True)
    with pytest.raises(
        TrainingError, match=f"has {known} tokens, and the text encoder of .* knows {known + 2}"
    ):
        load_base(more)
    monkeypatch.setattr(single, "_CLIP_TOKENS", known)
    assert load_base(more).text_encoders["text_encoder"].config.vocab_size == known + 2


def test_what_is_no_checkpoint_is_told_before_what_prompts_are_read_with(tmp_path):
    (tmp_path / "model.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match="is a text file"):
        check_base(tmp_path / "model.ckpt", tmp_path / "absent.txt")


def test_a_pickle_that_would_run_something_is_not_run(tmp_path):
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": {"x": Evil()}}, path)
    with pytest.raises(TrainingError):
        load_base(path)
    assert not ran.exists()


def test_an_old_checkpoint_of_pickles_is_read_as_data(tmp_path):
    pipeline = write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    write_clip_tokenizer(tmp_path)
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": single_state("sd1", pipeline)}, path)
    base, other = load_base(path), load_base(tmp_path / "folder")
    for name, value in base.denoiser.state_dict().items():
        assert torch.equal(value, other.denoiser.state_dict()[name])
