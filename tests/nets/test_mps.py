"""MPS gives the numbers of the published forward on one picture and prompt, and the same ones in any batch."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from imagereward_core.errors import PromptError
from imagereward_core.nets import onednn
from imagereward_core.nets.mps import (
    CONDITION,
    MpsConfig,
    MpsNetwork,
    parameter_dtype,
    rotary_angles,
)
from imagereward_core.nets.packing import pack
from imagereward_core.nets.skeleton import build_skeleton
from tests.support.clip_networks import TINY_CLIP, clip_oracle, clip_pixels, clip_prompts, needs_half
from tests.support.tiny import in_precision, telling

EXACT = {"atol": 2e-5, "rtol": 2e-5}
FORWARD_THRESHOLD, EVALUATION_THRESHOLD = THRESHOLDS = 0.01, 0.3


def tiny_mps(half_angles: bool = True) -> MpsNetwork:
    # as many picture tokens as published, among which rounded angles tell
    sizes = dataclasses.replace(TINY_CLIP, image_size=64, patch_size=4)
    config = MpsConfig(sizes, depth=2, heads=3, head_width=10, half_angles=half_angles)
    network = MpsNetwork(config).eval()
    telling(network, seed=2, spread=0.2)
    # texts of one token over and over differ from others, so that thresholds find something to leave out
    with torch.no_grad():
        network.model.text_model.embeddings.token_embedding.weight.mul_(20)
    return network


def pixels_of(batch: int = 4) -> torch.Tensor:
    return clip_pixels(batch, size=64)


def condition_ids() -> torch.Tensor:
    return torch.tensor([7] * 9 + [20] * 3)


def forward(network: MpsNetwork, ids, mask, pixels, condition, threshold=FORWARD_THRESHOLD) -> torch.Tensor:
    """Scores [B] of pictures for the prompts of the same row."""
    text, prompt = network.encode_texts(ids, mask)
    seen = network.look(network.encode_images(pixels), text, network.encode_condition(condition), threshold)
    return network.compare(seen, prompt)


def scores(network: MpsNetwork, ids, mask, pixels, threshold=FORWARD_THRESHOLD) -> torch.Tensor:
    with torch.inference_mode():
        return forward(network, ids, mask, pixels, condition_ids(), threshold)


def published_text(oracle, ids):
    """States of all positions and of the end token, projected; no padding mask."""
    output = oracle.text_model(input_ids=ids)
    return oracle.text_projection(output.last_hidden_state), oracle.text_projection(output.pooler_output)


def turn(states, half):
    """Rotary positions as complex numbers."""
    length, width = states.shape[-2:]
    steps = (10000 ** (-torch.arange(0, width, 2) / width)).to(torch.float16 if half else torch.float32)
    angles = torch.einsum("i,j->ij", torch.arange(length).to(steps.dtype), steps).float()
    pairs = torch.complex(states[..., : width // 2], states[..., width // 2 :])
    turned = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], dim=-1)


def softmax_attention(query, key, value, bias):
    """Heads in the query share one key and one value; ``bias`` is added to the products, as in the published code."""
    products = torch.einsum("bhid,bjd->bhij", query * query.shape[-1] ** -0.5, key) + bias
    mixed = torch.einsum("bhij,bjd->bhid", products.softmax(-1), value)
    return torch.cat(list(mixed.unbind(1)), dim=-1)


def published_forward(network, ids, pixels, threshold, half_angles):
    """The published forward and comparison, written out; the divisor is that of the whole batch, as it is there."""
    oracle, state, config = clip_oracle(network.model), network.state_dict(), network.config
    heads, size = config.heads, config.head_width

    def weight(layer, branch, name):
        return state[f"cross_model.layers.{layer}.{branch}.fn.{name}.weight"]

    text, prompt = published_text(oracle, ids)
    condition, _ = published_text(oracle, condition_ids()[None].repeat(len(ids), 1))
    tokens = oracle.visual_projection(oracle.vision_model(pixel_values=pixels).last_hidden_state)
    similarity = torch.einsum("bid,bjd->bji", text, condition).max(dim=1, keepdim=True)[0]
    similarity = similarity / similarity.max()
    bias = torch.where(similarity > threshold, 0.0, float("-inf"))[:, None]

    for layer in range(config.depth):
        normed = F.layer_norm(tokens, tokens.shape[-1:], weight(layer, 0, "norm"))
        query = torch.stack((normed @ weight(layer, 0, "to_q").T).split(size, dim=-1), dim=1)
        key, value = (text @ weight(layer, 0, "to_kv").T).split(size, dim=-1)
        values, gates = (normed @ weight(layer, 0, "ff.0").T).chunk(2, dim=-1)
        fed = (values * gates * gates.sigmoid()) @ weight(layer, 0, "ff.2").T
        tokens = tokens + softmax_attention(query, key, value, bias) @ weight(layer, 0, "to_out").T + fed

        normed = F.layer_norm(tokens, tokens.shape[-1:], weight(layer, 1, "norm"))
        fused = normed @ weight(layer, 1, "fused_attn_ff_proj").T
        query, key, value, rest = fused.tensor_split(
            [heads * size, (heads + 1) * size, (heads + 2) * size], -1
        )
        query = turn(torch.stack(query.split(size, dim=-1), dim=1), half_angles)
        mixed = softmax_attention(query, turn(key, half_angles), value, 0.0)
        values, gates = rest.chunk(2, dim=-1)
        fed = (values * gates * gates.sigmoid()) @ weight(layer, 1, "ff_out.1").T
        tokens = tokens + mixed @ weight(layer, 1, "attn_out").T + fed

    picture, prompt = (part / part.norm(dim=-1, keepdim=True) for part in (tokens[:, 0], prompt))
    return state["model.logit_scale"].exp() * (picture * prompt).sum(-1), bias[:, 0, 0] == 0


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("half_angles", [True, False])
def test_scores_equal_the_published_forward_one_by_one(threshold, half_angles):
    network = tiny_mps(half_angles)
    (ids, mask), pixels = clip_prompts(), pixels_of()
    together = scores(network, ids, mask, pixels, threshold)
    for row in range(4):
        one = slice(row, row + 1)
        with torch.no_grad():
            expected, kept = published_forward(network, ids[one], pixels[one], threshold, half_angles)
            text, _ = network.encode_texts(ids[one], mask[one])
            condition = network.encode_condition(condition_ids())
            assert torch.equal(network.kept_positions(text, condition, threshold), kept)
        alone = scores(network, ids[one], mask[one], pixels[one], threshold)
        torch.testing.assert_close(alone, expected, **EXACT)
        torch.testing.assert_close(together[one], expected, **EXACT)
    assert together.std() > 0.01


def test_thresholds_keep_different_positions_and_give_different_scores():
    network, (ids, mask), pixels = tiny_mps(), clip_prompts(), pixels_of()
    with torch.no_grad():
        text, condition = network.encode_texts(ids, mask)[0], network.encode_condition(condition_ids())
        more, fewer = (network.kept_positions(text, condition, threshold) for threshold in THRESHOLDS)
    assert (fewer <= more).all() and fewer.any(dim=1).all() and (fewer != more).any() and not more.all()
    low, high = (scores(network, ids, mask, pixels, threshold) for threshold in THRESHOLDS)
    assert (low - high).abs().max() > 1e-3


def test_scores_do_not_depend_on_batch_mates_where_the_published_ones_do():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts(), pixels_of()
    together = scores(network, ids, mask, pixels, EVALUATION_THRESHOLD)
    alone = torch.cat(
        [scores(network, ids[[row]], mask[[row]], pixels[[row]], EVALUATION_THRESHOLD) for row in range(4)]
    )
    torch.testing.assert_close(together, alone, **EXACT)
    with torch.no_grad():
        published, _ = published_forward(network, ids, pixels, EVALUATION_THRESHOLD, True)
    assert (published - alone).abs().max() > 1e-3


def test_padding_is_read_like_text():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts((5, 5, 5, 5)), pixels_of()
    padded_otherwise = torch.where(mask.bool(), ids, 1)
    assert (
        scores(network, ids, mask, pixels) - scores(network, padded_otherwise, mask, pixels)
    ).abs().max() > 1e-3


def test_trimmed_prompts_and_conditions_are_refused():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts((5, 5)), pixels_of(2)
    with pytest.raises(PromptError, match="found a prompt of 5 token ids, expected 12"):
        forward(network, ids[:, :5], mask[:, :5], pixels, condition_ids())
    with pytest.raises(PromptError, match="found a prompt of 9 token ids, expected 12"):
        forward(network, ids, mask, pixels, condition_ids()[:9])


def test_cached_picture_tokens_are_left_as_they_are():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts(), pixels_of()
    with torch.inference_mode():
        image, text = network.encode_images(pixels), network.encode_texts(ids, mask)[0]
        before = image.clone(), text.clone()
        network.look(image, text, network.encode_condition(condition_ids()), FORWARD_THRESHOLD)
    assert torch.equal(image, before[0]) and torch.equal(text, before[1])


def test_a_broken_picture_leaves_its_batch_mates_alone():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts(), pixels_of()
    broken = pixels.clone()
    broken[1, 0, 3, 3] = float("nan")
    given, expected = scores(network, ids, mask, broken), scores(network, ids, mask, pixels)
    assert given[1].isnan()
    torch.testing.assert_close(given[[0, 2, 3]], expected[[0, 2, 3]], **EXACT)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_float32(dtype):
    """Scores move by less than a tenth (bfloat16) or a fiftieth (float16) of their spread."""
    needs_half(dtype)
    (ids, mask), pixels = clip_prompts(), pixels_of()
    exact, half = (
        scores(network, ids, mask, pixels) for network in (tiny_mps(), in_precision(tiny_mps(), dtype))
    )
    assert half.dtype == torch.float32
    assert 0 < (exact - half).abs().max() < exact.std() * (0.1 if dtype is torch.bfloat16 else 0.02)


def test_packed_scores_equal_unpacked_scores():
    """Also in layers without a bias, which only this network has in half precision."""
    if not onednn.supported(torch.bfloat16):
        pytest.skip("no oneDNN operator for bfloat16 here")
    network, (ids, mask), pixels = in_precision(tiny_mps(), torch.bfloat16), clip_prompts(), pixels_of()
    before = scores(network, ids, mask, pixels)
    assert pack(network) > 0
    assert torch.equal(scores(network, ids, mask, pixels), before)


def test_norms_embeddings_and_projections_stay_in_float32():
    network = in_precision(tiny_mps(), torch.bfloat16)
    kept = {name for name, value in network.state_dict().items() if value.dtype == torch.float32}
    assert kept == {
        name
        for name in network.state_dict()
        if "norm" in name or "embedding" in name or "projection" in name or "logit_scale" in name
    }
    assert all(parameter_dtype(name, torch.bfloat16) == torch.float32 for name in kept)


def test_gradients_reach_pixels_and_every_parameter():
    network = tiny_mps()
    (ids, mask), pixels = clip_prompts(), pixels_of().requires_grad_()
    forward(network, ids, mask, pixels, condition_ids()).sum().backward()
    assert (pixels.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    still = {name for name, value in network.named_parameters() if value.grad is None}
    assert still == {f"model.vision_model.post_layernorm.{part}" for part in ("weight", "bias")}
    assert all(value.grad.abs().sum() > 0 for value in network.parameters() if value.grad is not None)


def test_full_size_skeleton_has_the_published_layout():
    network = build_skeleton(MpsNetwork)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    cross = {name: shape for name, shape in shapes.items() if name.startswith("cross_model.")}
    published = {
        "0.fn.norm.weight": (1024,),
        "0.fn.to_q.weight": (1024, 1024),
        "0.fn.to_kv.weight": (128, 1024),
        "0.fn.to_out.weight": (1024, 1024),
        "0.fn.ff.0.weight": (8192, 1024),
        "0.fn.ff.2.weight": (1024, 4096),
        "1.fn.norm.weight": (1024,),
        "1.fn.fused_attn_ff_proj.weight": (1024 + 64 + 64 + 8192, 1024),
        "1.fn.attn_out.weight": (1024, 1024),
        "1.fn.ff_out.1.weight": (1024, 4096),
    }
    assert cross == {
        f"cross_model.layers.{layer}.{name}": shape for layer in range(4) for name, shape in published.items()
    }
    assert shapes["model.text_projection.weight"] == (1024, 1024)


def test_condition_is_a_list_of_22_words():
    words = CONDITION.removesuffix(".").split(", ")
    assert len(words) == 22 and (words[0], words[-1]) == ("light", "things")
    assert all(word.isalpha() for word in words)


def test_half_angles_are_float16_numbers():
    half, exact = (rotary_angles(257, 64, flag, torch.device("cpu")) for flag in (True, False))
    assert torch.equal(half, half.half().float())
    assert 0.05 < (half - exact).abs().max() < 0.11
    assert torch.equal(exact[:, 0], torch.arange(257.0))
