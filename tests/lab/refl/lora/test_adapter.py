"""A LoRA beside a model's layers changes nothing at first, can be switched off to the bit, and comes back from what was kept of it."""

from __future__ import annotations

import sys

import pytest
import torch

from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.training.errors import TrainingError
from tests.support.oracles import import_peft
from tests.support.refl.tiny_models import attention, shake, tiny_model

import_peft()
pytest.importorskip("diffusers")


def drawn(model):
    numbers = torch.Generator().manual_seed(5)
    latents = torch.randn(2, 4, 8, 8, generator=numbers)
    states = torch.randn(2, 7, 32, generator=numbers)
    with torch.no_grad():
        return model.denoiser(latents, torch.tensor([3, 900]), encoder_hidden_states=states).sample


def test_a_new_lora_changes_nothing_and_off_is_the_model_to_the_bit():
    model = tiny_model("generator")
    before = drawn(model)
    adapter = attach(model, attention(model), rank=3, alpha=6)
    assert torch.equal(drawn(model), before)
    shake(adapter.parameters())
    changed = drawn(model)
    assert not torch.allclose(changed, before, atol=1e-3)
    with adapter.off():
        assert torch.equal(drawn(model), before)
    assert torch.equal(drawn(model), changed)
    with pytest.raises(KeyError), adapter.off():
        raise KeyError
    assert torch.equal(drawn(model), changed)


def test_nothing_but_the_lora_trains_also_after_it_was_off_and_in_float32_beside_half_precision():
    model = tiny_model("generator")
    model.denoiser.bfloat16()
    adapter = attach(model, attention(model)[:4], rank=2)
    with adapter.off():
        pass
    training = {id(each) for each in model.denoiser.parameters() if each.requires_grad}
    assert training == {id(each) for each in adapter.parameters()}
    assert len(training) == 8
    assert {each.dtype for each in adapter.parameters()} == {torch.float32}


def test_first_numbers_follow_from_seed_and_name_alone_and_cost_the_caller_none():
    first, second, other = tiny_model("generator"), tiny_model("generator", seed=1), tiny_model("generator")
    names = attention(first)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    whole = attach(first, names, rank=3, seed=4)
    assert torch.equal(torch.rand(3), expected)
    part = attach(second, names[5:6], rank=3, seed=4)
    for name, each in part.named_parameters().items():
        assert torch.equal(each, whole.named_parameters()[name])
    down = f"denoiser/{names[5]}/down"
    assert not torch.equal(
        attach(other, names, rank=3, seed=5).named_parameters()[down], whole.named_parameters()[down]
    )
    # As peft draws: uniform between plus and minus one over the root of the inputs.
    drawn_first = whole.named_parameters()[down]
    bound = drawn_first.shape[1] ** -0.5
    assert 0.9 * bound < drawn_first.abs().max() <= bound


def test_what_is_kept_comes_back_and_another_one_is_refused():
    model = tiny_model("generator")
    adapter = attach(model, attention(model), rank=2)
    shake(adapter.parameters())
    kept, before = adapter.state(), drawn(model)
    shake(adapter.parameters(), seed=1)
    assert not torch.equal(drawn(model), before)
    adapter.fill(kept)
    assert torch.equal(drawn(model), before)
    other = tiny_model("generator")
    with pytest.raises(TrainingError, match="does not fit this model and rank 2"):
        adapter.fill(attach(other, attention(other), rank=3).state())
    assert torch.equal(drawn(model), before)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (
            {"targets": ["mid_block.attentions.0"]},
            "mid_block.attentions.0 was chosen.*expected names of linear",
        ),
        ({"targets": ["add_embedding.linear_1"]}, "add_embedding.linear_1"),
        ({"targets": []}, "nothing was chosen"),
        ({"rank": 0}, "rank 0"),
        ({"alpha": float("nan")}, "alpha nan"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_the_model_as_it_was(named, said):
    model = tiny_model("generator")
    before = dict(model.denoiser.named_modules())
    with pytest.raises(TrainingError, match=said):
        attach(model, **{"targets": attention(model), **named})
    assert dict(model.denoiser.named_modules()) == before


def test_without_peft_it_is_said_what_to_install(monkeypatch):
    model = tiny_model("generator")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(TrainingError, match=r"peft.*pip install 'imagereward-curator\[refl\]'"):
        attach(model, attention(model))
