"""Timesteps are drawn as models of each kind are trained, and long prompts end as text encoders expect."""

from __future__ import annotations

import pytest
import torch

from imagereward_lab.refl.bases.courses import Diffusion, Flow
from imagereward_lab.refl.bases.tokens import folder_tokens
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

from tests.support.lab.pipelines import write_clip_tokenizer, write_t5_tokenizer  # noqa: E402


def drawn(course, number=4000):
    generator = torch.Generator().manual_seed(0)
    return torch.stack([course.draw(generator) for _ in range(number)])


def test_models_that_give_the_noise_are_trained_at_all_timesteps_alike():
    found = drawn(Diffusion({}))
    assert found.min() >= 0 and found.max() == 999
    assert abs(float(found.mean()) - 499.5) < 15 and abs(float(found.std()) - 288.7) < 10


@pytest.mark.parametrize(
    ("shift", "dynamic", "median"), [(1.0, False, 500), (3.0, False, 750), (3.0, True, 500)]
)
def test_flow_models_are_trained_around_the_middle_of_their_way_which_the_shift_moves(shift, dynamic, median):
    found = drawn(Flow({"shift": shift, "use_dynamic_shifting": dynamic}))
    assert abs(float(found.median()) - median) < 15
    inner = found / 1000 if shift == 1 or dynamic else found / 1000 / (shift - (shift - 1) * found / 1000)
    logits = inner.logit()  # normal, whatever the shift
    assert abs(float(logits.mean())) < 0.06 and abs(float(logits.std()) - 1) < 0.06


def test_prompts_that_are_cut_keep_the_token_that_ends_them(tmp_path):
    write_clip_tokenizer(tmp_path / "clip")
    write_t5_tokenizer(tmp_path / "t5")
    for name, length in (("clip", 7), ("t5", 5)):
        tokens = folder_tokens(tmp_path / name, length)
        found = tokens(["red star", "a red star on a gray background"])
        short, long = found.ids.tolist()
        assert len(short) == len(long) == length
        end = tokens(["red"]).ids[0].tolist()[1 if name == "t5" else 2]
        assert long[-1] == end and end in short
        assert (
            found.cut[0] == "" and found.cut[1] and "a red star on a gray background".endswith(found.cut[1])
        )


def test_a_tokenizer_that_is_missing_or_damaged_is_said(tmp_path):
    with pytest.raises(TrainingError, match="neither merges.txt nor tokenizer.json"):
        folder_tokens(tmp_path, 77)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TrainingError, match="cannot be read as a tokenizer"):
        folder_tokens(tmp_path, 77)
