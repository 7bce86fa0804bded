"""Five updates through the command, of a tiny random model and of generators in one file: what continuous integration tunes."""

from __future__ import annotations

import importlib.util
import json

import pytest
import torch
from safetensors.torch import save_file

from imagereward_core.cli.main import main
from imagereward_lab.demo_model.stages import write_json
from imagereward_lab.generator.layout import to_checkpoint
from imagereward_lab.generator.networks import Generator, GeneratorConfig
from imagereward_lab.generator.stored import MODEL
from imagereward_lab.refl.lora.stored import read_lora
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import write_clip_tokenizer, write_pipeline  # noqa: E402
from tests.support.refl.generator_file import TRAINED  # noqa: E402

PROMPTS = ("a red star", "two blue circles", "a gray star on a red background", "a star", "two gray circles")
CASES = {
    "folder": ("--method", "refl", "--steps", "4", "--first", "2", "--last", "3"),
    "file": (
        "--method",
        "draft-k",
        "--steps",
        "3",
        "--k",
        "1",
        "--low-variance",
        "2",
        "--height",
        "32",
        "--width",
        "32",
    ),
    "trained": ("--method", "refl", "--steps", "5", "--first", "3", "--last", "4"),
}


def generator_in(folder):
    """A generator of ours, untrained, with a vocabulary of letters beside it."""
    folder.mkdir()
    config = GeneratorConfig(
        width=32, vae_multipliers=(1, 1, 2), text_width=32, text_heads=2, text_mlp=32, vocabulary=517
    )
    save_file(to_checkpoint(Generator(config, 3)), folder / "generator.safetensors")
    write_json(folder / "facts.json", {"config": config.to_dict()})
    write_clip_tokenizer(folder)
    return folder / "generator.safetensors"


@pytest.mark.parametrize("case", list(CASES))
def test_five_updates_make_a_lora_of_which_every_number_is_one(case, tmp_path, capsys):
    if case == "folder":
        model = tmp_path / "model"
        write_pipeline("sd1", model, tmp_path / "tokens")
    elif case == "file":
        model = generator_in(tmp_path / "model")
    else:
        pytest.importorskip("open_clip")  # brings CLIP's vocabulary
        model = TRAINED / MODEL
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\n".join(PROMPTS), encoding="utf-8")
    arguments = (
        *(
            "refl",
            "--model",
            model,
            "--prompts",
            prompts,
            "--scorer",
            "demo",
            "-o",
            tmp_path / "run",
            "--device",
            "cpu",
        ),
        *(
            "--updates",
            5,
            "--batch",
            2,
            "--accumulate",
            1,
            "--check-every",
            5,
            "--held-out",
            40,
            "--previews",
            2,
        ),
        *(
            "--preview-seeds",
            2,
            "--preview-steps",
            2,
            "--denoising-pictures",
            2,
            "--watch",
            "keep",
            "--name",
            "tiny",
        ),
        *("--scorer-fall", 9, "--diversity-fall", 90, "--own-fall", 90, "-f", "json", *CASES[case]),
    )
    code = main([str(each) for each in arguments])
    told = json.loads(capsys.readouterr().out)
    assert code == 0 and told["update"] == 5 and told["result"] == str(tmp_path / "run" / "tiny.safetensors")
    stored = read_lora(tmp_path / "run" / "tiny.safetensors")
    assert all(bool(each.isfinite().all()) for each in stored.tensors.values())
    ups = [each for name, each in stored.tensors.items() if name.endswith("lora_up.weight")]
    assert ups and all(float(each.abs().max()) > 0 for each in ups)
    assert json.loads(stored.metadata["imagereward.facts"])["method"] == CASES[case][1]
    written = {each.name for each in (tmp_path / "run").iterdir()}
    assert {
        "before-and-after.png",
        "report.html",
        "run.json",
        "updates.csv",
        "checks.csv",
        "previews",
    } <= written
    assert ("curves.png" in written) == (importlib.util.find_spec("matplotlib") is not None)
    assert torch.is_grad_enabled()
