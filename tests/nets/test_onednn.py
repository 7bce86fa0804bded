"""The oneDNN operator computes what plain linear layers compute, and stands aside where it must."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.nets import onednn
from imagereward_core.nets.layers import Linear

DTYPES = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture
def plain_only(monkeypatch):
    """A torch without the operator."""
    monkeypatch.setattr(onednn, "supported", lambda dtype: False)


def layer(dtype: torch.dtype, inputs: int = 24, outputs: int = 40) -> Linear:
    generator = torch.Generator().manual_seed(3)
    made = Linear(inputs, outputs)
    with torch.no_grad():
        made.weight.copy_(torch.randn(outputs, inputs, generator=generator) * 0.3)
        made.bias.copy_(torch.randn(outputs, generator=generator))
    return made.to(dtype)


def needs(dtype: torch.dtype) -> None:
    if not onednn.supported(dtype):
        pytest.skip(f"no oneDNN operator for {dtype} here")


@pytest.mark.parametrize("dtype", DTYPES)
@settings(deadline=None, max_examples=25)
@given(shape=st.lists(st.integers(0, 5), min_size=0, max_size=2), seed=st.integers(0, 2**31 - 1))
def test_operator_equals_plain_layers_up_to_rounding(dtype, shape, seed):
    needs(dtype)
    made = layer(dtype)
    inputs = torch.randn(*shape, 3, 24, generator=torch.Generator().manual_seed(seed)).to(dtype)
    exact = F.linear(inputs.double(), made.weight.double(), made.bias.double())
    with torch.inference_mode():
        assert onednn.usable(inputs, made.weight)
        straight, bent = made(inputs), made.gelu(inputs)
    step = torch.finfo(dtype).eps * 16
    assert straight.dtype == bent.dtype == dtype
    torch.testing.assert_close(straight.double(), exact, atol=step, rtol=step)
    torch.testing.assert_close(bent.double(), F.gelu(exact), atol=step, rtol=step)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_fused_gelu_is_at_least_as_exact_as_two_roundings(dtype):
    needs(dtype)
    made = layer(dtype, 256, 256)
    inputs = torch.randn(64, 256, generator=torch.Generator().manual_seed(0)).to(dtype)
    exact = F.gelu(F.linear(inputs.double(), made.weight.double(), made.bias.double()))
    with torch.inference_mode():
        once = (made.gelu(inputs).double() - exact).abs().mean()
        twice = (F.gelu(F.linear(inputs, made.weight, made.bias)).double() - exact).abs().mean()
    assert once <= twice


def test_gradients_are_those_of_plain_layers():
    made = layer(torch.float32)
    inputs = torch.randn(5, 24, requires_grad=True)
    assert not onednn.usable(inputs, made.weight)
    given_gradients = torch.autograd.grad(made.gelu(inputs).sum(), [inputs, made.weight, made.bias])
    plain = F.gelu(F.linear(inputs, made.weight, made.bias)).sum()
    for ours, theirs in zip(
        given_gradients, torch.autograd.grad(plain, [inputs, made.weight, made.bias]), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_without_the_operator_plain_layers_answer(plain_only):
    made = layer(torch.float32)
    inputs = torch.randn(2, 3, 24)
    with torch.inference_mode():
        assert torch.equal(made(inputs), F.linear(inputs, made.weight, made.bias))
        assert torch.equal(made.gelu(inputs), F.gelu(F.linear(inputs, made.weight, made.bias)))


def test_float64_is_left_to_torch():
    assert not onednn.supported(torch.float64)
    made = layer(torch.float64)
    inputs = torch.randn(2, 24, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(made(inputs), F.linear(inputs, made.weight, made.bias))


def test_an_operator_that_computes_something_else_is_not_used(monkeypatch):
    real = onednn.linear
    monkeypatch.setattr(onednn, "linear", lambda *arguments, **options: real(*arguments, **options) * 1.01)
    onednn.supported.cache_clear()
    try:
        assert not onednn.supported(torch.float32)
    finally:
        onednn.supported.cache_clear()


def test_other_processors_keep_plain_layers(monkeypatch):
    monkeypatch.setattr(onednn.platform, "machine", lambda: "arm64")
    onednn.supported.cache_clear()
    try:
        assert not onednn.supported(torch.float32)
    finally:
        onednn.supported.cache_clear()
