"""A packed network gives the same scores to the last bit, and can be saved, moved and unpacked like any other."""

from __future__ import annotations

import pytest
import torch

from imagereward_core.nets import onednn, packing
from imagereward_core.nets.layers import Linear
from imagereward_core.nets.packing import PackedLinear, pack
from tests.support.tiny import in_precision, tiny_network

HALF = [torch.bfloat16, torch.float16]


def half_network(dtype: torch.dtype):
    if not onednn.supported(dtype):
        pytest.skip(f"no oneDNN operator for {dtype} here")
    return in_precision(tiny_network(), dtype)


def rewards(network, batch: int = 3):
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(batch, 3, 32, 32, generator=generator)
    ids = torch.randint(5, 30, (batch, 9), generator=generator)
    with torch.inference_mode():
        return network(ids, torch.ones_like(ids), pixels)


def packed_layers(network) -> int:
    return sum(isinstance(layer, PackedLinear) for layer in network.modules())


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("batch", [1, 3])
def test_packed_scores_equal_unpacked_scores(dtype, batch):
    network = half_network(dtype)
    before = rewards(network, batch)
    assert pack(network) == packed_layers(network) > 0
    assert torch.equal(rewards(network, batch), before)


def test_packing_twice_changes_nothing():
    network = half_network(torch.bfloat16)
    first = pack(network)
    assert pack(network) == 0
    assert packed_layers(network) == first


def test_state_dict_of_a_packed_network_is_that_of_the_plain_one():
    network = half_network(torch.bfloat16)
    plain = {name: value.clone() for name, value in network.state_dict().items()}
    pack(network)
    saved = network.state_dict()
    assert list(saved) == list(plain)
    assert all(torch.equal(saved[name], plain[name]) for name in plain)


def test_loading_into_a_packed_network_replaces_its_weights():
    network, other = half_network(torch.bfloat16), in_precision(tiny_network(seed=8), torch.bfloat16)
    pack(network)
    network.load_state_dict(other.state_dict())
    assert torch.equal(rewards(network), rewards(other))


def test_staying_where_it_is_keeps_a_network_packed():
    network = half_network(torch.bfloat16)
    count = pack(network)
    with torch.inference_mode():
        network.to("cpu")
    assert packed_layers(network) == count


def test_a_cast_turns_a_packed_network_plain_and_trainable():
    network, expected = half_network(torch.bfloat16), half_network(torch.bfloat16).float()
    pack(network)
    with torch.inference_mode():
        rewards(network)
    network.float()
    assert packed_layers(network) == 0
    assert [name for name, _ in network.named_parameters()] == [
        name for name, _ in expected.named_parameters()
    ]
    assert torch.equal(rewards(network), rewards(expected))
    network(torch.full((1, 4), 7), torch.ones(1, 4), torch.randn(1, 3, 32, 32)).sum().backward()
    assert network.blip.visual_encoder.blocks[0].attn.qkv.weight.grad is not None


def test_float32_layers_stay_plain():
    assert pack(tiny_network()) == 0


def test_without_the_operator_nothing_is_packed(monkeypatch):
    monkeypatch.setattr(packing.onednn, "supported", lambda dtype: False)
    network = in_precision(tiny_network(), torch.bfloat16)
    assert pack(network) == 0
    assert any(type(layer) is Linear for layer in network.modules())
