"""Our networks give the numbers of independent ones: timm's ViT and transformers' BLIP text model."""

from __future__ import annotations

import pytest
import torch

from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.skeleton import build_skeleton
from tests.support.oracles import import_timm
from tests.support.tiny import TINY, in_precision, tiny_network

TOLERANCE = 2e-5


def blip_text_oracle(network):
    transformers = pytest.importorskip("transformers")
    blip = pytest.importorskip("transformers.models.blip.modeling_blip_text")
    text = TINY.text
    config = transformers.BlipTextConfig(
        vocab_size=text.vocab_size,
        hidden_size=text.width,
        encoder_hidden_size=TINY.vision.width,
        intermediate_size=text.mlp_width,
        num_hidden_layers=text.depth,
        num_attention_heads=text.heads,
        max_position_embeddings=text.positions,
        layer_norm_eps=text.layer_norm_eps,
        hidden_act="gelu",
        is_decoder=True,
    )
    oracle = blip.BlipTextModel(config, add_pooling_layer=False).eval()
    state = dict(network.blip.text_encoder.state_dict())
    known = oracle.state_dict()
    result = oracle.load_state_dict(
        {name: value for name, value in state.items() if name in known}, strict=True
    )
    assert not result.missing_keys
    assert {name for name in state if name not in known} <= {"embeddings.position_ids"}
    return oracle


def prompts(batch=4, length=9):
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, TINY.text.vocab_size, (batch, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[1:2, 5:] = 0
    mask[2:3, 2:] = 0
    return ids * mask, mask


def test_vision_tower_equals_timm():
    timm = import_timm()
    network, vision = tiny_network(), TINY.vision
    oracle = timm.models.vision_transformer.VisionTransformer(
        img_size=vision.image_size,
        patch_size=vision.patch_size,
        embed_dim=vision.width,
        depth=vision.depth,
        num_heads=vision.heads,
        mlp_ratio=vision.mlp_width / vision.width,
        num_classes=0,
    ).eval()
    oracle.load_state_dict(network.blip.visual_encoder.state_dict(), strict=True)
    pixels = torch.randn(3, 3, vision.image_size, vision.image_size)
    with torch.no_grad():
        ours, theirs = network.encode_images(pixels), oracle.forward_features(pixels)
    assert ours.std() > 0.1
    torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=TOLERANCE)


def test_text_tower_with_cross_attention_equals_transformers():
    network = tiny_network()
    oracle = blip_text_oracle(network)
    ids, mask = prompts()
    image = torch.randn(4, TINY.vision.tokens, TINY.vision.width)
    with torch.no_grad():
        ours = network.blip.text_encoder(ids, mask, image)
        theirs = oracle(
            input_ids=ids,
            attention_mask=mask,
            encoder_hidden_states=image,
            encoder_attention_mask=torch.ones(image.shape[:2]),
            is_decoder=False,
        ).last_hidden_state
    real = mask.bool()
    assert ours[:, 0].std() > 0.1
    torch.testing.assert_close(ours[real], theirs[real], atol=TOLERANCE, rtol=TOLERANCE)


def test_text_only_mode_equals_transformers():
    network = tiny_network()
    oracle = blip_text_oracle(network)
    ids, mask = prompts()
    with torch.no_grad():
        ours = network.blip.text_encoder(ids, mask)
        theirs = oracle(input_ids=ids, attention_mask=mask, is_decoder=False).last_hidden_state
    real = mask.bool()
    torch.testing.assert_close(ours[real], theirs[real], atol=TOLERANCE, rtol=TOLERANCE)


def test_first_token_shortcut_equals_the_whole_sequence():
    network = tiny_network()
    ids, mask = prompts()
    image = torch.randn(4, TINY.vision.tokens, TINY.vision.width)
    with torch.no_grad():
        whole = network.blip.text_encoder(ids, mask, image)[:, :1]
        shortcut = network.blip.text_encoder(ids, mask, image, first_only=True)
    torch.testing.assert_close(shortcut, whole, atol=1e-5, rtol=1e-5)


def test_padding_can_be_trimmed():
    network = tiny_network()
    ids, mask = prompts()
    image = torch.randn(4, TINY.vision.tokens, TINY.vision.width)
    with torch.no_grad():
        padded = network.text_states(ids, mask, image)[2]
        trimmed = network.text_states(ids[2:3, :2], mask[2:3, :2], image[2:3])[0]
    torch.testing.assert_close(padded, trimmed, atol=1e-5, rtol=1e-5)


def test_pictures_are_shared_between_prompts_by_index():
    network = tiny_network()
    ids, mask = prompts()
    image = torch.randn(2, TINY.vision.tokens, TINY.vision.width)
    index = torch.tensor([1, 0, 1, 1])
    with torch.no_grad():
        shared = network.text_states(ids, mask, image, index)
        copied = network.text_states(ids, mask, image[index])
    torch.testing.assert_close(shared, copied, atol=1e-5, rtol=1e-5)


def test_head_folds_to_one_vector():
    network = tiny_network()
    states = torch.randn(7, TINY.text.width)
    weight, bias = network.mlp.fold()
    with torch.no_grad():
        torch.testing.assert_close(
            (states.double() @ weight + bias).float(), network.mlp(states)[:, 0], atol=1e-5, rtol=1e-5
        )


def test_reward_is_differentiable_in_pixels_and_parameters():
    network = tiny_network()
    ids, mask = prompts()
    pixels = torch.randn(4, 3, 32, 32, requires_grad=True)
    network(ids, mask, pixels).sum().backward()
    assert pixels.grad is not None and pixels.grad.abs().sum() > 0
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {
        f"blip.{name}_proj.{part}" for name in ("vision", "text") for part in ("weight", "bias")
    }


def test_gradient_equals_finite_differences():
    network = tiny_network().double()
    ids, mask = prompts(batch=1, length=4)
    pixels = torch.randn(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    reward = network.mlp(
        network.blip.text_encoder(ids, mask, network.encode_images(pixels), first_only=True)[:, 0]
    )
    (gradient,) = torch.autograd.grad(reward.sum(), pixels)
    step = torch.zeros_like(pixels)
    step[0, 1, 7, 9] = 1e-5
    with torch.no_grad():

        def at(where):
            return network.mlp(
                network.blip.text_encoder(ids, mask, network.encode_images(where), first_only=True)[:, 0]
            ).sum()

        slope = (at(pixels + step) - at(pixels - step)) / 2e-5
    torch.testing.assert_close(gradient[0, 1, 7, 9], slope, atol=1e-6, rtol=1e-4)


def test_full_size_skeleton_has_the_released_layout():
    network = build_skeleton(RewardNetwork)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert len(shapes) == 625
    assert sum(parameter.numel() for parameter in network.parameters()) == 446_665_953
    assert shapes["blip.visual_encoder.pos_embed"] == (1, 197, 1024)
    assert shapes["blip.text_encoder.encoder.layer.11.crossattention.self.key.weight"] == (768, 1024)
    assert shapes["mlp.layers.7.weight"] == (1, 16)
    assert all(parameter.device.type == "meta" for parameter in network.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_float32(dtype):
    network, half = tiny_network(spread=0.2), in_precision(tiny_network(spread=0.2), dtype)
    ids, mask = prompts()
    pixels = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        exact, rounded = network(ids, mask, pixels), half(ids, mask, pixels)
    assert rounded.dtype == torch.float32
    assert half.blip.visual_encoder.blocks[0].attn.qkv.weight.dtype == dtype
    assert half.blip.text_encoder.encoder.layer[0].attention.self.query.weight.dtype == torch.float32
    assert 0 < (exact - rounded).abs().max() < 0.1 * exact.std()


def test_network_follows_a_cast_of_everything():
    """A trainer may call ``.to(dtype)`` on the whole model; the reference then raises in score()."""
    network = tiny_network().to(torch.bfloat16)
    ids, mask = prompts()
    with torch.no_grad():
        assert torch.isfinite(network(ids, mask, torch.randn(4, 3, 32, 32))).all()
