"""A float tensor gives the bytes its saved PNG gives, on its own device; the differentiable way stays close
to them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.images.spec import ImageSpec
from imagereward_core.images.tensors import differentiable_pixels, nan_pictures, quantize, tensor_to_pixels
from tests.support.pixels import stack_pixels

SPEC = ImageSpec()
SMALL = ImageSpec(size=56)  # a sixteenth of the pixels, by the same rules
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@st.composite
def bounded_sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Width and height in 1..500, of at most 16,000 pixels and a ratio of 50, so that the oracle stays
    fast."""
    width = draw(st.integers(1, 500))
    height = draw(st.integers(max(1, -(-width // 50)), max(1, min(500, 50 * width, 16_000 // width))))
    return width, height


def random_floats(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """Floats a little beyond 0..1; for odd seeds alpha, or grey, is mostly opaque or transparent, as in real
    masks."""
    generator = np.random.default_rng(seed)
    floats = generator.uniform(-0.1, 1.1, (height, width, channels)).astype(np.float32)
    if seed % 2:
        floats[..., -1] = np.round(floats[..., -1])
    return floats


def saved_by_comfyui(floats: np.ndarray) -> Image.Image:
    """What a PNG holds after SaveImage: one channel as grey, three as RGB, four as RGBA."""
    levels = np.clip(255.0 * floats, 0, 255).astype(np.uint8)
    levels = levels[:, :, 0] if levels.shape[2] == 1 else levels
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format="PNG", compress_level=1)
    return Image.open(file)


@pytest.mark.parametrize("channels", [1, 3, 4])
@settings(deadline=None, max_examples=60)
@given(size=bounded_sizes(), seed=st.integers(0, 999))
def test_a_tensor_equals_its_saved_png_byte_for_byte(channels, size, seed, pillow_chain):
    floats = random_floats(size[1], size[0], channels, seed)
    saved = saved_by_comfyui(floats)
    pixels = tensor_to_pixels(torch.from_numpy(floats)[None], SMALL)
    expected = pillow_chain(saved, 56)
    np.testing.assert_array_equal(pixels[0].permute(1, 2, 0).numpy(), expected)
    np.testing.assert_array_equal(to_pixels(saved, SMALL), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("framing", ["center_crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "size", [(224, 224), (224, 300), (512, 512), (300, 900), (900, 300), (7, 5)], ids=str
)
def test_both_framings_equal_the_pillow_path_for_a_batch(size, channels, framing, device):
    spec = ImageSpec(framing=framing)
    batch = np.stack([random_floats(size[1], size[0], channels, seed) for seed in range(3)])
    pixels = tensor_to_pixels(torch.from_numpy(batch).to(device), spec)
    assert pixels.shape == (3, 3, 224, 224) and pixels.dtype == torch.uint8 and pixels.device.type == device
    expected = stack_pixels([to_pixels(saved_by_comfyui(floats), spec) for floats in batch])
    assert torch.equal(pixels.cpu(), expected)
    assert torch.equal(normalize(pixels, spec).cpu(), normalize(expected, spec))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_very_elongated_tensor_equals_the_pillow_path(channels):
    floats = random_floats(3, 20_000, channels, seed=1)
    pixels = tensor_to_pixels(torch.from_numpy(floats)[None], SPEC)
    np.testing.assert_array_equal(
        pixels[0].permute(1, 2, 0).numpy(), to_pixels(saved_by_comfyui(floats), SPEC)
    )


def test_premultiplied_arithmetic_equals_pillow_for_every_level_and_alpha():
    level, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    rgba = np.stack([level, level[::-1], level.T, alpha], axis=2)
    image = Image.fromarray(np.ascontiguousarray(rgba))
    floats = torch.from_numpy((rgba.astype(np.float32) + 0.25) / 255)[None]
    pixels = tensor_to_pixels(floats, ImageSpec(size=255))
    np.testing.assert_array_equal(pixels[0].permute(1, 2, 0).numpy(), to_pixels(image, ImageSpec(size=255)))


def test_quantize_truncates_and_clips_as_save_image_does():
    floats = np.concatenate([np.linspace(-0.2, 1.2, 10_001), np.arange(256) / 255, [np.inf, -np.inf]]).astype(
        np.float32
    )
    expected = np.clip(255.0 * floats, 0, 255).astype(np.uint8)
    assert quantize(torch.from_numpy(floats)).tolist() == expected.tolist()
    assert quantize(torch.tensor([0.999, float("inf"), float("-inf")])).tolist() == [254, 255, 0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_quantised_in_float32(dtype):
    floats = torch.linspace(0, 1, 1000).to(dtype)
    assert torch.equal(quantize(floats), quantize(floats.to(torch.float32)))


def test_quantize_leaves_its_input_alone():
    floats = torch.rand(4, 4)
    kept = floats.clone()
    quantize(floats)
    assert torch.equal(floats, kept)


def test_nan_is_found_per_picture_and_infinities_are_not_nan():
    images = torch.rand(5, 8, 6, 3)
    images[1, 7, 5, 2] = float("nan")
    images[2, 0, 0, 0] = float("inf")
    images[4] = float("nan")
    assert nan_pictures(images) == [1, 4]
    assert nan_pictures(images[:1]) == [] and nan_pictures(images[:0]) == []


def test_a_nan_picture_leaves_its_batch_mates_alone():
    images = torch.rand(3, 40, 30, 3)
    clean = tensor_to_pixels(images, SPEC)
    images[1] = float("nan")
    assert torch.equal(tensor_to_pixels(images, SPEC)[[0, 2]], clean[[0, 2]])


@pytest.mark.parametrize("path", [tensor_to_pixels, differentiable_pixels])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(8, 8, 3), "batch dimension"),
        (torch.zeros(1, 8, 8, 2), "channels one of"),
        (torch.zeros(1, 3, 8, 8), "channels last"),
        (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), "floats in 0..1"),
        (torch.zeros(1, 0, 8, 3), "at least 1 x 1"),
    ],
    ids=["no batch", "two channels", "channels first", "uint8", "empty"],
)
def test_other_tensors_are_refused_with_what_to_do(path, bad, message):
    with pytest.raises(ImageError, match=message):
        path(bad, SPEC)


def test_the_differentiable_path_refuses_a_picture_that_would_fill_the_memory():
    with pytest.raises(ImageError, match="less extreme"):
        differentiable_pixels(torch.zeros(1, 3, 20_000, 3), SPEC)


def smooth_picture(height: int, width: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = [
        0.5 + 0.5 * torch.sin(6 * x + 3 * y + channel) * torch.cos(5 * y - 2 * x * channel)
        for channel in range(3)
    ]
    return torch.stack(waves, dim=-1)[None]


def gap_in_levels(images: torch.Tensor, spec: ImageSpec = SPEC) -> torch.Tensor:
    """Absolute difference between the differentiable and the exact path, in levels of 0..255."""
    levels = quantize(images).float()
    exact = tensor_to_pixels(
        (levels + 0.25) / 255, spec
    )  # a quarter level keeps quantize from truncating to the next
    std = torch.tensor(spec.std)[:, None, None]
    return (differentiable_pixels(levels / 255, spec) - normalize(exact, spec)).abs() * std * 255


@pytest.mark.parametrize(
    ("kind", "height", "width", "largest", "mean"),
    [
        ("smooth", 100, 150, 1.25, 0.35),
        ("smooth", 768, 512, 1.25, 0.3),
        ("smooth", 1024, 1024, 1.0, 0.3),
        ("noise", 512, 512, 3.5, 0.3),
        ("noise", 1024, 1024, 1.25, 0.3),
        ("noise", 300, 300, 20.0, 0.35),
        ("noise", 100, 150, 45.0, 0.45),
    ],
)
@pytest.mark.parametrize("framing", ["center_crop", "pad"])
def test_the_differentiable_path_stays_within_its_measured_gap(kind, height, width, largest, mean, framing):
    generator = torch.Generator().manual_seed(height)
    images = (
        smooth_picture(height, width)
        if kind == "smooth"
        else torch.rand(1, height, width, 3, generator=generator)
    )
    gap = gap_in_levels(images, ImageSpec(framing=framing))
    assert gap.max() <= largest
    assert gap.mean() <= mean


def test_the_differentiable_path_has_no_gap_where_nothing_is_resized():
    assert gap_in_levels(torch.rand(1, 224, 300, 3, generator=torch.Generator().manual_seed(1))).max() < 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_reach_every_pixel_of_the_crop_and_agree_with_finite_differences(channels):
    spec = ImageSpec(size=8)
    images = torch.rand(2, 12, 12, channels, generator=torch.Generator().manual_seed(3), requires_grad=True)
    weight = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(4))
    (differentiable_pixels(images, spec) * weight).sum().backward()
    assert images.grad is not None and (images.grad != 0).all()
    step = torch.zeros_like(images)
    step[1, 5, 6, channels - 1] = (
        0.5  # the path is affine in its input, so a large step is exact up to rounding
    )
    with torch.no_grad():
        change = (
            (differentiable_pixels(images + step, spec) - differentiable_pixels(images - step, spec)) * weight
        ).sum()
    assert torch.isclose(change, images.grad[1, 5, 6, channels - 1], rtol=1e-3, atol=1e-5)


def test_the_differentiable_path_does_not_clamp():
    images = torch.zeros(1, 40, 40, 3)
    images[:, :, 20:] = 1.0
    mean, std = (torch.tensor(values)[:, None, None] for values in (SPEC.mean, SPEC.std))
    levels = differentiable_pixels(images, SPEC) * std + mean
    assert levels.min() < -0.02 and levels.max() > 1.02
