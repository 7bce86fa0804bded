"""What makes learning quicker changes neither what the networks compute nor how they are found afterwards."""

from __future__ import annotations

import pytest
import torch

from imagereward_lab.generator.networks import Generator, GeneratorConfig, ready_to_learn
from imagereward_lab.generator.speed import chosen_precision, quick_on_processors
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

SMALL = GeneratorConfig(width=32, heads=4, vae_width=32, text_layers=1, text_width=32, text_mlp=32)


def computed(generator: Generator) -> list[torch.Tensor]:
    """Pictures back and forth, guessed noise, and the gradients of all parameters."""
    generator.zero_grad()
    numbers = torch.Generator().manual_seed(3)
    images = torch.rand(2, 3, 64, 64, generator=numbers) * 2 - 1
    noisy = torch.randn(2, 4, 8, 8, generator=numbers)
    ids = torch.randint(0, 40_000, (2, 77), generator=numbers)
    ids[:, -1] = 49407
    again = generator.decoded(generator.moments(images)[0])
    noise = generator.noise(noisy, torch.tensor([5, 700]), generator.states(ids))
    ((again - images).abs().mean() + (noise**2).mean()).backward()
    gradients = [each.grad.clone() for each in generator.parameters() if each.grad is not None]
    return [again.detach(), noise.detach(), *gradients]


def test_quick_forms_give_the_same_pictures_noise_and_gradients_and_leave_nothing_behind():
    generator = Generator(SMALL, seed=2)
    before = computed(generator)
    kept = {name for module in generator.modules() for name in vars(module)}
    with quick_on_processors(generator.unet, generator.vae, generator.text):
        assert any(
            "forward" in vars(module) for module in generator.modules()
        )  # or nothing would be compared
        quick = computed(generator)
    assert len(before) == len(quick) > 100
    for one, other in zip(before, quick):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    assert {name for module in generator.modules() for name in vars(module)} == kept
    for one, other in zip(before, computed(generator)):
        assert torch.equal(one, other)


def test_the_networks_are_as_before_where_learning_breaks_off():
    generator = Generator(SMALL, seed=2)
    processors = {name: type(each) for name, each in generator.unet.attn_processors.items()}
    with pytest.raises(ZeroDivisionError), quick_on_processors(generator.unet, generator.text):
        raise ZeroDivisionError
    assert {name: type(each) for name, each in generator.unet.attn_processors.items()} == processors
    assert not any("forward" in vars(module) for module in generator.modules())


@pytest.mark.parametrize(("units", "chosen"), [({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")])
def test_half_precision_is_chosen_where_the_processor_has_units_for_it(monkeypatch, units, chosen):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units, raising=False)
    assert chosen_precision("auto", torch.device("cpu")) == chosen
    assert chosen_precision("fp32", torch.device("cpu")) == "fp32"
    assert chosen_precision("bf16", torch.device("cpu")) == "bf16"


def test_a_ready_autoencoder_has_latents_with_little_noise_and_blocks_that_add_nothing():
    generator = Generator(SMALL, seed=2)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3)) * 2 - 1
    with torch.no_grad():
        untouched = generator.vae.encode(images).latent_dist.std
        ready_to_learn(generator.vae)
        spread = generator.vae.encode(images).latent_dist.std
        block = generator.vae.decoder.mid_block.resnets[0]
        shown = torch.randn(1, block.in_channels, 8, 8)
        added = block(shown, None) - shown
    assert untouched.median() > 0.5
    torch.testing.assert_close(spread.log().mean(), torch.tensor(-3.0), atol=0.2, rtol=0)
    assert float(added.std(dim=(2, 3)).max()) < 1e-6  # no more than the bias of its last convolution
