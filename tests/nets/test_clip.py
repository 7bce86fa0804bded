"""Our CLIP gives the numbers of transformers' CLIPModel, for every text alone as in any batch and with any padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cosine_similarity

from imagereward_core.nets.clip import (
    ClipConfig,
    ClipNetwork,
    at_last_token,
    parameter_dtype,
)
from imagereward_core.nets.layers import quick_gelu
from imagereward_core.nets.skeleton import build_skeleton
from tests.support.clip_networks import (
    END,
    clip_config,
    clip_network,
    clip_oracle,
    clip_oracle_config,
    clip_pixels,
    clip_prompts,
    features,
    import_transformers,
    needs_half,
    parameter_names,
    without_initialisation,
)
from tests.support.tiny import in_precision

EXACT = {"atol": 1e-5, "rtol": 1e-5}
ACTIVATIONS = ["quick_gelu", "gelu"]
# With gradients the plain layers answer, without them oneDNN's, and in inference mode the stream is added to in place.
MODES = [torch.enable_grad, torch.no_grad, torch.inference_mode]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_vectors_equal_transformers(activation, mode):
    network = clip_network(activation)
    oracle = clip_oracle(network)
    (ids, mask), pixels = clip_prompts(), clip_pixels()
    with mode():
        images, texts = network.encode_images(pixels), network.encode_texts(ids, mask)
        assert images.std() > 0.1 and texts.std() > 0.1
        torch.testing.assert_close(images, features(oracle.get_image_features(pixels)), **EXACT)
        torch.testing.assert_close(
            texts, features(oracle.get_text_features(ids, attention_mask=mask)), **EXACT
        )


def test_all_tokens_equal_transformers():
    network = clip_network()
    oracle = clip_oracle(network)
    (ids, mask), pixels = clip_prompts(), clip_pixels()
    with torch.no_grad():
        image = oracle.visual_projection(oracle.vision_model(pixels).last_hidden_state)
        text = oracle.text_projection(oracle.text_model(ids).last_hidden_state)
        torch.testing.assert_close(network.image_tokens(pixels), image, **EXACT)
        torch.testing.assert_close(network.text_tokens(ids), text, **EXACT)
        masked = network.text_tokens(ids, mask)
    torch.testing.assert_close(masked[mask.bool()], text[mask.bool()], **EXACT)
    assert (masked - text).abs().max() > 0.01  # the padding itself, which then sees less


def test_a_masked_token_inside_a_text_is_not_looked_at():
    network = clip_network()
    oracle = clip_oracle(network)
    ids, mask = clip_prompts()
    mask[:, 1] = 0
    mask[2] = 1  # the text of two tokens keeps both, and then its padding too
    ids[2, -1] = END
    with torch.no_grad():
        theirs = oracle.text_projection(oracle.text_model(ids, attention_mask=mask).last_hidden_state)
        ours = network.encode_texts(ids, mask)
    torch.testing.assert_close(ours, at_last_token(theirs, mask), **EXACT)


def test_state_names_are_those_of_transformers():
    network = clip_network()
    assert set(network.state_dict()) == parameter_names(clip_oracle(network))


@pytest.mark.parametrize(
    ("config", "parameters"), [(ClipConfig.vit_l_14(), 427_616_513), (ClipConfig.vit_h_14(), 986_109_441)]
)
def test_full_size_skeletons_have_the_published_layout(config, parameters, monkeypatch):
    network = build_skeleton(lambda: ClipNetwork(config))
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert all(parameter.device.type == "meta" for parameter in network.parameters())
    model, settled = import_transformers().CLIPModel, clip_oracle_config(config)
    without_initialisation(monkeypatch)
    oracle = build_skeleton(lambda: model(settled))
    theirs = oracle.state_dict()
    ours = {name: value.shape for name, value in network.state_dict().items()}
    assert ours == {name: theirs[name].shape for name in parameter_names(oracle)}


def test_picture_only_network_has_no_text_parameters_and_the_same_vectors():
    whole, pictures = clip_network(), clip_network(text=False)
    names = {name for name in whole.state_dict() if name.startswith(("vision_model.", "visual_projection."))}
    assert set(pictures.state_dict()) == names
    pictures.load_state_dict({name: whole.state_dict()[name] for name in names})
    with torch.no_grad():
        assert torch.equal(pictures.encode_images(clip_pixels()), whole.encode_images(clip_pixels()))


def test_vectors_do_not_depend_on_batch_mates():
    network = clip_network()
    (ids, mask), pixels = clip_prompts(), clip_pixels()
    with torch.inference_mode():
        images, texts = network.encode_images(pixels), network.encode_texts(ids, mask)
        for row in range(4):
            one = slice(row, row + 1)
            torch.testing.assert_close(network.encode_images(pixels[one]), images[one], **EXACT)
            torch.testing.assert_close(network.encode_texts(ids[one], mask[one]), texts[one], **EXACT)


def test_a_broken_picture_leaves_its_batch_mates_alone():
    network, pixels = clip_network(), clip_pixels()
    broken = pixels.clone()
    broken[1, 0, 3, 3] = float("nan")
    with torch.inference_mode():
        alone, together = network.encode_images(pixels), network.encode_images(broken)
    assert together[1].isnan().all()
    torch.testing.assert_close(together[[0, 2, 3]], alone[[0, 2, 3]], **EXACT)


@settings(deadline=None, max_examples=25)
@given(length=st.integers(2, 12), room=st.integers(0, 10), pad=st.sampled_from([0, 1, 17, END]))
def test_text_vectors_do_not_depend_on_padding(length, room, pad):
    network = clip_network()
    positions = min(12, length + room)
    ids, mask = clip_prompts((length,), positions, pad)
    with torch.no_grad():
        torch.testing.assert_close(
            network.encode_texts(ids, mask),
            network.encode_texts(ids[:, :length], mask[:, :length]),
            **EXACT,
        )


def test_a_row_of_padding_is_finite():
    network = clip_network()
    ids, mask = clip_prompts()
    mask[2] = 0
    with torch.no_grad():
        assert network.encode_texts(ids, mask).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_half_precision_stays_near_float32(activation, dtype):
    """Cosines between pictures and texts, the material of every score, move by less than 0.01 (bfloat16) or 0.002 (float16)."""
    needs_half(dtype)
    exact, half = clip_network(activation), in_precision(clip_network(activation), dtype)
    (ids, mask), pixels = clip_prompts(), clip_pixels()
    with torch.inference_mode():
        cosines = [
            cosine_similarity(network.encode_images(pixels)[:, None], network.encode_texts(ids, mask), dim=-1)
            for network in (exact, half)
        ]
    assert cosines[1].dtype == torch.float32
    assert cosines[0].std() > 0.05
    assert 0 < (cosines[0] - cosines[1]).abs().max() < (0.01 if dtype is torch.bfloat16 else 0.002)


def test_only_the_encoders_linear_layers_leave_float32():
    network = clip_network()
    kept = {name for name in network.state_dict() if parameter_dtype(name, torch.float16) == torch.float32}
    norms_and_ends = {
        name
        for name in network.state_dict()
        if "norm" in name or "embedding" in name or "projection" in name or name == "logit_scale"
    }
    assert kept == norms_and_ends
    half = in_precision(network, torch.float16)
    assert {name for name, value in half.state_dict().items() if value.dtype == torch.float32} == kept


def test_network_follows_a_cast_of_everything():
    network = clip_network().to(torch.bfloat16)
    ids, mask = clip_prompts()
    with torch.no_grad():
        assert network.encode_images(clip_pixels()).isfinite().all()
        assert network.encode_texts(ids, mask).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_reach_pixels_and_every_parameter(dtype):
    network = in_precision(clip_network(), dtype)
    (ids, mask), pixels = clip_prompts(), clip_pixels().requires_grad_()
    cosines = cosine_similarity(network.encode_images(pixels), network.encode_texts(ids, mask))
    (network.logit_scale.exp() * cosines).sum().backward()
    assert (pixels.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    still = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert not still


def test_gradient_equals_finite_differences():
    network = clip_network("gelu").double()
    pixels, step = clip_pixels(1).double().requires_grad_(), torch.zeros(1, 3, 32, 32, dtype=torch.float64)
    step[0, 1, 7, 9] = 1e-5
    (gradient,) = torch.autograd.grad(network.encode_images(pixels).sum(), pixels)
    with torch.no_grad():
        above, below = (network.encode_images(pixels + sign * step).sum() for sign in (1, -1))
    torch.testing.assert_close(gradient[0, 1, 7, 9], (above - below) / 2e-5, atol=1e-6, rtol=1e-4)


def test_activations_differ():
    """Lest a network built with the wrong one pass unnoticed."""
    one, other = clip_network("quick_gelu"), clip_network("gelu")
    assert clip_config("gelu") == other.config
    with torch.no_grad():
        assert (one.encode_images(clip_pixels()) - other.encode_images(clip_pixels())).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 8), (3, 50, 64), (2, 257, 1024)])
def test_quick_gelu_in_place_gives_the_same_bits(dtype, shape):
    hidden = 4 * torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = quick_gelu(hidden)
    assert not torch.equal(expected, hidden)
    with torch.inference_mode():
        given = hidden.clone()
        assert torch.equal(quick_gelu(given), expected) and torch.equal(given, expected)
