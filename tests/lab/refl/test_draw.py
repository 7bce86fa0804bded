"""``imagereward draw``: pictures tell their settings, equal seeds draw equal ones, and a stored LoRA does what it did."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.draw import DrawOptions, draw_all, wanted
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.lora.metadata import LoraFacts
from imagereward_lab.refl.lora.stored import write_lora
from imagereward_lab.refl.result import model_digest
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import write_pipeline  # noqa: E402

PROMPTS = ("a red star, (blue:1.2)", 'two circles: one" big')
OPTIONS = DrawOptions(number=2, seed=5, steps=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd1")
    write_pipeline("sd1", folder, tmp_path_factory.mktemp("tokens"))
    return folder


@pytest.fixture
def call(model, tmp_path):
    (tmp_path / "prompts.txt").write_text("\n".join(PROMPTS), encoding="utf-8")
    usual = ["--number", "2", "--seed", "5", "--steps", "3", "--device", "cpu"]

    def run(output, *more):
        given = ["--model", model, "--prompts", tmp_path / "prompts.txt", "-o", output, *usual, *more]
        return main(["draw", *map(str, given)])

    return run


def contents(folder):
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir())}


def pixels(folder):
    return np.stack([np.asarray(Image.open(each)) for each in sorted(folder.iterdir())]).astype(int)


def test_pictures_say_what_they_are_and_a_run_that_was_cut_short_is_completed_to_the_same_bytes(
    call, tmp_path, capsys
):
    drawn = tmp_path / "drawn"
    assert call(drawn) == 0
    first = contents(drawn)
    assert list(first) == ["00000-5.png", "00001-6.png", "00002-7.png", "00003-8.png"]
    found = [read_prompt(drawn / name) for name in first]
    assert [each.prompt for each in found] == [prompt for prompt in PROMPTS for _ in range(2)]
    assert [each.settings["Seed"] for each in found] == ["5", "6", "7", "8"]
    assert len({each.tobytes() for each in pixels(drawn)}) == 4
    (drawn / "00001-6.png").unlink()
    assert call(drawn) == 0 and contents(drawn) == first
    # The picture of a seed does not depend on which pictures were drawn beside it.
    assert call(tmp_path / "other", "--seed", "6") == 0
    shifted, known = pixels(tmp_path / "other"), pixels(drawn)
    assert np.abs(shifted[0] - known[1]).max() <= 1
    # Other settings would be other pictures of the same names: nothing is replaced, and nothing mixed.
    capsys.readouterr()
    assert call(drawn, "--prediction", "v_prediction") == 4 and call(drawn, "--precision", "bf16") == 4
    assert contents(drawn) == first
    assert call(drawn, "--steps", "4") == 4 and contents(drawn) == first
    assert "00000-5.png is there already and was not drawn with these settings" in capsys.readouterr().err


def test_the_end_of_a_long_prompt_that_no_model_reads_is_told(call, tmp_path, capsys):
    assert call(tmp_path / "drawn") == 0 and "longer than the model reads" not in capsys.readouterr().err
    (tmp_path / "long.txt").write_text(" ".join(["a red star"] * 40) + " end", encoding="utf-8")
    assert call(tmp_path / "long", "--prompts", tmp_path / "long.txt", "--number", "2") == 0
    told = capsys.readouterr().err
    assert "1 prompt of those drawn" in told and "longer than the model reads" in told


@pytest.mark.parametrize("which", ["blocks", "all"])
def test_a_lora_draws_what_the_tuned_model_drew_and_one_for_another_model_is_refused(
    call, model, tmp_path, capsys, which
):
    base = load_base(model)
    adapter = attach(base, base.targets(which), rank=2, alpha=0.7)
    numbers = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for each in adapter.parameters():
            each.copy_(torch.randn(each.shape, generator=numbers))
    facts = LoraFacts(name="mine", run="test", base="sd1")
    write_lora(tmp_path / "mine.safetensors", adapter, facts, dtype=torch.float32)
    expected = [(one, "text") for one in wanted(PROMPTS, tmp_path / "expected", OPTIONS)]
    (tmp_path / "expected").mkdir()
    draw_all(base, expected, OPTIONS)
    assert call(tmp_path / "plain") == 0
    assert call(tmp_path / "tuned", "--lora", tmp_path / "mine.safetensors") == 0
    assert np.abs(pixels(tmp_path / "tuned") - pixels(tmp_path / "expected")).max() <= 1
    assert np.abs(pixels(tmp_path / "tuned") - pixels(tmp_path / "plain")).max() > 10
    told = read_prompt(tmp_path / "tuned" / "00000-5.png")
    assert told.prompt == PROMPTS[0] and told.settings["Lora hashes"].startswith("mine: ")
    other = load_base(model)
    some = attach(other, other.targets()[:3], rank=2)
    write_lora(tmp_path / "other.safetensors", some, facts, dtype=torch.float32)
    capsys.readouterr()
    assert call(tmp_path / "none", "--lora", tmp_path / "other.safetensors") == 4
    assert "other.safetensors changes 3 layers" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_prompt_that_could_not_be_read_back_is_left_out_and_said(call, tmp_path, capsys):
    table = tmp_path / "prompts.csv"
    lines = ["a star\nNegative prompt: ugly", "a circle"]
    table.write_text("prompt\n" + "\n".join(f'"{each}"' for each in lines) + "\n", encoding="utf-8")
    assert call(tmp_path / "drawn", "--prompts", table) == 1
    assert "left out: " in capsys.readouterr().err
    assert [read_prompt(each).prompt for each in sorted((tmp_path / "drawn").iterdir())] == ["a circle"] * 2


def test_what_is_no_lora_of_ours_is_refused_before_anything_is_drawn(call, tmp_path, capsys):
    (tmp_path / "broken.safetensors").write_text(json.dumps([]))
    assert call(tmp_path / "none", "--lora", tmp_path / "broken.safetensors") == 4
    assert "broken.safetensors cannot be read as a LoRA" in capsys.readouterr().err


def test_another_model_of_the_same_layout_is_another_model(model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "model")
    assert model_digest(copy) == model_digest(model)
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert model_digest(copy) != model_digest(model)
