"""The aesthetic heads have their published layouts, look at a vector's direction only, and are the affine maps they are said to be."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from imagereward_core.nets.heads import AestheticHead, SiglipAestheticHead, parameter_dtype
from tests.support.tiny import telling

SIZES = (1024, 128, 64, 16, 1)
LAYOUTS = [
    (AestheticHead, 768, [f"layers.{number}" for number in (0, 2, 4, 6, 7)], (0.2, 0.2, 0.1)),
    (
        SiglipAestheticHead,
        1152,
        [f"scoring_head.{number}" for number in (0, 2, 4, 6, 8)],
        (0.5, 0.5, 0.5, 0.2),
    ),
]
KINDS = [AestheticHead, SiglipAestheticHead]


def telling_head(kind):
    head = kind(24).eval()
    telling(head, spread=0.1)
    return head


def some_vectors() -> torch.Tensor:
    return torch.randn(5, 24, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize(("kind", "width", "names", "dropouts"), LAYOUTS)
def test_layout_is_the_published_one(kind, width, names, dropouts):
    head = kind()
    expected = {}
    for name, outputs, inputs in zip(names, SIZES, (width, *SIZES)):
        expected |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    assert {name: tuple(value.shape) for name, value in head.state_dict().items()} == expected
    assert tuple(part.p for part in head.modules() if isinstance(part, nn.Dropout)) == dropouts


@pytest.mark.parametrize("kind", KINDS)
def test_score_is_the_layers_applied_to_the_vector_of_length_one(kind):
    head, vectors = telling_head(kind), some_vectors() * 7
    expected = vectors / vectors.norm(dim=-1, keepdim=True)
    for _, weight, bias in sorted(
        (int(name.split(".")[1]), value, head.state_dict()[name.replace("weight", "bias")])
        for name, value in head.state_dict().items()
        if name.endswith("weight")
    ):
        expected = expected @ weight.T + bias
    with torch.no_grad():
        torch.testing.assert_close(head(vectors), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_score_depends_on_direction_only(kind):
    head, vectors = telling_head(kind), some_vectors()
    with torch.no_grad():
        assert head(vectors).std() > 0.01
        torch.testing.assert_close(head(vectors * 30), head(vectors), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_vectors_are_rated_in_float32(kind):
    head, vectors = telling_head(kind), some_vectors().half()
    assert all(parameter_dtype(name, torch.float16) == torch.float32 for name in head.state_dict())
    with torch.no_grad():
        assert torch.equal(head(vectors), head(vectors.float()))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_vectors_and_every_parameter(kind):
    head, vectors = telling_head(kind), some_vectors().requires_grad_()
    head(vectors).sum().backward()
    assert (vectors.grad.abs().sum(dim=1) > 0).all()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
