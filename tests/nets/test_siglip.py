"""Our SigLIP tower gives the numbers of transformers' SiglipVisionModel, pooling head included."""

from __future__ import annotations

import pytest
import torch

from imagereward_core.nets.clip import TowerConfig
from imagereward_core.nets.siglip import SiglipConfig, SiglipVision, parameter_dtype
from imagereward_core.nets.skeleton import build_skeleton
from tests.support.clip_networks import (
    clip_pixels,
    import_transformers,
    needs_half,
    parameter_names,
    without_initialisation,
)
from tests.support.tiny import in_precision, telling

EXACT = {"atol": 1e-5, "rtol": 1e-5}
# 34 pixels hold four patches of 8 and a rest that must not be looked at.
TINY_SIGLIP = SiglipConfig(
    vision=TowerConfig(48, depth=3, heads=4, mlp_width=100, activation="gelu_tanh", layer_norm_eps=1e-6),
    image_size=34,
    patch_size=8,
)


def siglip_network() -> SiglipVision:
    network = SiglipVision(TINY_SIGLIP).eval()
    telling(network, spread=0.2)
    return network


def siglip_oracle_config(config: SiglipConfig):
    transformers = import_transformers()
    pytest.importorskip("transformers.models.siglip")
    return transformers.SiglipVisionConfig(
        hidden_size=config.vision.width,
        num_hidden_layers=config.vision.depth,
        num_attention_heads=config.vision.heads,
        intermediate_size=config.vision.mlp_width,
        layer_norm_eps=config.vision.layer_norm_eps,
        hidden_act="gelu_pytorch_tanh",
        image_size=config.image_size,
        patch_size=config.patch_size,
    )


def published(name: str) -> str:
    """The name in the published files: transformers 5 drops their prefix in memory."""
    return name if name.startswith("vision_model.") else f"vision_model.{name}"


def siglip_oracle(network: SiglipVision):
    settled = siglip_oracle_config(network.config)
    oracle = import_transformers().SiglipVisionModel(settled).eval()
    ours = network.state_dict()
    oracle.load_state_dict({name: ours[published(name)] for name in oracle.state_dict()})
    return oracle


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_vectors_equal_transformers(mode):
    network = siglip_network()
    oracle = siglip_oracle(network)
    pixels = clip_pixels(size=34)
    with mode():
        ours, theirs = network.encode_images(pixels), oracle(pixels).pooler_output
    assert ours.shape == (4, 48) and ours.std() > 0.1
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_full_size_skeleton_has_the_published_layout(monkeypatch):
    without_initialisation(monkeypatch)
    config = SiglipConfig.so400m_14_384()
    network = build_skeleton(lambda: SiglipVision(config))
    settled = siglip_oracle_config(config)
    oracle = build_skeleton(lambda: import_transformers().SiglipVisionModel(settled))
    theirs = {
        published(name): value.shape
        for name, value in oracle.state_dict().items()
        if name in parameter_names(oracle)
    }
    assert {name: value.shape for name, value in network.state_dict().items()} == theirs
    assert theirs["vision_model.embeddings.position_embedding.weight"] == (729, 1152)
    assert sum(parameter.numel() for parameter in network.parameters()) == 428_225_600


def test_vectors_do_not_depend_on_batch_mates():
    network, pixels = siglip_network(), clip_pixels(size=34)
    with torch.inference_mode():
        together = network.encode_images(pixels)
        alone = torch.cat([network.encode_images(pixels[row : row + 1]) for row in range(4)])
    torch.testing.assert_close(alone, together, **EXACT)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_float32(dtype):
    """A vector turns by less than what a cosine of 0.9995 (bfloat16) or 0.99999 (float16) allows."""
    needs_half(dtype)
    pixels = clip_pixels(size=34)
    with torch.inference_mode():
        exact = siglip_network().encode_images(pixels)
        half = in_precision(siglip_network(), dtype).encode_images(pixels)
    assert half.dtype == torch.float32 and not torch.equal(half, exact)
    cosine = torch.nn.functional.cosine_similarity(exact.double(), half.double())
    assert cosine.min() > (0.9995 if dtype is torch.bfloat16 else 0.99999)


def test_norms_embeddings_and_probe_stay_in_float32():
    network = in_precision(siglip_network(), torch.bfloat16)
    kept = {name for name, value in network.state_dict().items() if value.dtype == torch.float32}
    assert kept == {
        name
        for name in network.state_dict()
        if "norm" in name or "embedding" in name or name.endswith("probe")
    }
    assert all(parameter_dtype(name, torch.bfloat16) == torch.float32 for name in kept)


def test_gradients_reach_pixels_and_every_parameter():
    network, pixels = siglip_network(), clip_pixels(size=34).requires_grad_()
    network.encode_images(pixels).square().sum().backward()
    seen = pixels.grad.abs().sum(dim=(0, 1))
    assert (seen[:32, :32] > 0).all() and not seen[32:].any() and not seen[:, 32:].any()
    still = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert not still
