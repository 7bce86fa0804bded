"""Each scorer's pixels are those of the code it was published with, by every way a picture can take."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.images.geometry import mean_color, place
from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.images.spec import (
    CLIP_PROCESSOR_SPEC,
    CLIP_SPEC,
    HPS_SPEC,
    IMAGEREWARD_SPEC,
    SIGLIP_SPEC,
    ImageSpec,
)
from imagereward_core.images.tensors import differentiable_pixels, tensor_to_pixels
from tests.support.oracles import import_torchvision
from tests.support.pixels import stack_pixels

Reference = Callable[[Image.Image], torch.Tensor]

HPS_OF_2023 = replace(HPS_SPEC, resizing="floats")
SPECS = {
    "clip": CLIP_SPEC,
    "clip processor": CLIP_PROCESSOR_SPEC,
    "hps": HPS_SPEC,
    "hps of 2023": HPS_OF_2023,
    "siglip": SIGLIP_SPEC,
}
MODES = ["RGB", "RGBA", "P", "P+transparency", "L", "LA", "CMYK", "1"]
SIZES = [
    (224, 224),
    (384, 384),
    (227, 224),
    (224, 231),
    (448, 455),
    (512, 768),
    (600, 411),
    (37, 53),
    (500, 7),
    (1, 1),
]
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def specimen(mode: str, width: int, height: int) -> Image.Image:
    """Noise over a slope, so that both a shifted pixel and a clipped overshoot show."""
    return _specimen(mode, width, height).copy()


@lru_cache(maxsize=128)
def _specimen(mode: str, width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(width * 601 + height).integers(0, 256, (height, width, 4), dtype=np.int64)
    slope = np.linspace(0, 120, width, dtype=np.int64)[None, :, None]
    levels = np.clip(noise + slope - 60, 0, 255).astype(np.uint8)
    bands = [Image.fromarray(np.ascontiguousarray(levels[:, :, band])) for band in range(4)]
    if mode == "1":
        return Image.fromarray(levels[:, :, 0] > 127)
    if mode.startswith("P"):
        image = Image.merge("RGB", bands[:3]).quantize(32, Image.Quantize.FASTOCTREE)
        if mode != "P":
            image.info["transparency"] = bytes(range(0, 160, 5))
        return image
    return Image.merge(mode, bands[: Image.getmodebands(mode)])


def openai_clip(image: Image.Image) -> torch.Tensor:
    """The steps of openai's clip package, put together from torchvision."""
    import_torchvision()
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

    steps = [
        Resize(224, interpolation=InterpolationMode.BICUBIC),
        CenterCrop(224),
        lambda crop: crop.convert("RGB"),
    ]
    colours = Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
    return Compose([*steps, ToTensor(), colours])(image)


def hpsv2_package(image: Image.Image, antialias: bool = True) -> torch.Tensor:
    """The steps of hpsv2's transform in its own order: tensor, resize by the longest side, pad with 0, normalise.

    Antialiasing is torchvision's default there: off before 0.17, on since.
    """
    import_torchvision()
    from torchvision.transforms import InterpolationMode, Normalize
    from torchvision.transforms import functional as steps

    floats = steps.to_tensor(image.convert("RGB"))
    ratio = 224 / float(max(image.size))
    if ratio != 1.0:
        height, width = (round(side * ratio) for side in floats.shape[1:])
        floats = steps.resize(floats, [height, width], InterpolationMode.BICUBIC, antialias=antialias)
        left, top = (224 - width) // 2, (224 - height) // 2
        floats = steps.pad(floats, [left, top, 224 - width - left, 224 - height - top], fill=0)
    return Normalize(HPS_SPEC.mean, HPS_SPEC.std)(floats)


def processor(name: str, **published: object) -> Reference:
    """transformers' Pillow-based processor: a class of its own since 5.0, the only or the slow one before.

    Alpha is dropped beforehand, as the published code of PickScore, MPS and the aesthetic predictor does it and as the
    processors themselves did until 5.x began to composite.
    """
    transformers = pytest.importorskip("transformers")
    kind = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name, None)
    if kind is None:
        pytest.skip(f"this transformers has no {name}")
    published.update(do_convert_rgb=True, do_rescale=True, rescale_factor=1 / 255, do_resize=True, resample=3)
    made = kind(do_normalize=True, **published)
    return lambda image: made(image.convert("RGB"), return_tensors="pt")["pixel_values"][0]


def clip_processor() -> Reference:
    """CLIPImageProcessor with the settings of laion/CLIP-ViT-H-14-laion2B-s32B-b79K."""
    return processor(
        "CLIPImageProcessor",
        size={"shortest_edge": 224},
        crop_size={"height": 224, "width": 224},
        do_center_crop=True,
        image_mean=[0.48145466, 0.4578275, 0.40821073],
        image_std=[0.26862954, 0.26130258, 0.27577711],
    )


def siglip_processor() -> Reference:
    """SiglipImageProcessor with the settings of google/siglip-so400m-patch14-384."""
    size = {"height": 384, "width": 384}
    return processor("SiglipImageProcessor", size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)


REFERENCES: dict[str, Callable[[], Reference]] = {
    "clip": lambda: openai_clip,
    "clip processor": clip_processor,
    "hps": lambda: hpsv2_package,
    "hps of 2023": lambda: lambda image: hpsv2_package(image, antialias=False),
    "siglip": siglip_processor,
}


def network_input(image: Image.Image, spec: ImageSpec) -> torch.Tensor:
    return normalize(stack_pixels([to_pixels(image, spec)]), spec)[0]


def reference_is_defined(name: str, width: int, height: int) -> bool:
    """Whether the published code gives the network a square at all, and takes height for height."""
    if name.startswith("hps"):
        long, short = max(width, height), min(width, height)
        return short == long if long == 224 else round(short * (224 / float(long))) > 0
    # transformers before 5 takes a picture of 1 or 3 rows for one with its channels first
    return not (name.endswith("processor") or name == "siglip") or height not in (1, 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SPECS)
def test_every_mode_gives_the_published_floats_bit_for_bit(name: str, mode: str) -> None:
    reference = REFERENCES[name]()
    for size in SIZES:
        if not reference_is_defined(name, *size):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = reference(specimen(mode, *size))
        assert torch.equal(network_input(specimen(mode, *size), SPECS[name]), expected), size


@pytest.mark.parametrize("name", SPECS)
@settings(deadline=None, max_examples=25)
@given(
    width=st.integers(1, 600),
    height=st.integers(1, 600),
    mode=st.sampled_from(["RGB", "RGB", "L", "RGBA", "P"]),
)
def test_any_shape_gives_the_published_floats_bit_for_bit(
    name: str, width: int, height: int, mode: str
) -> None:
    # 224 x 134,400 pixels of the longest crop chains cost the oracle seconds; a ratio of 40 is odd enough
    assume(reference_is_defined(name, width, height) and max(width, height) <= 40 * min(width, height))
    image = specimen(mode, width, height)
    assert torch.equal(network_input(image, SPECS[name]), REFERENCES[name]()(image))


@pytest.mark.parametrize("name", ["hps", "hps of 2023"])
@pytest.mark.parametrize("size", [(2, 600), (600, 2), (3, 1000)], ids=str)
def test_slivers_take_the_kernel_the_reference_takes(name: str, size: tuple[int, int]) -> None:
    # torch rounds a picture shrunk to one column differently when its memory has the channels last
    image = specimen("RGB", *size)
    expected = REFERENCES[name]()(image)
    assert torch.equal(network_input(image, SPECS[name]), expected)
    tensor = (torch.from_numpy(np.array(image))[None].float() + 0.25) / 255
    assert torch.equal(normalize(tensor_to_pixels(tensor, SPECS[name]), SPECS[name])[0], expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", SPECS)
@settings(deadline=None, max_examples=15)
@given(width=st.integers(1, 600), height=st.integers(1, 600), seed=st.integers(0, 99))
def test_a_tensor_gives_the_pixels_of_its_picture(
    name: str, channels: int, width: int, height: int, seed: int
) -> None:
    assume(max(width, height) <= 100 * min(width, height))
    levels = np.random.default_rng(seed).integers(0, 256, (2, height, width, channels), dtype=np.uint8)
    # a quarter level keeps the truncation from reaching the next level
    tensors = (torch.from_numpy(levels).float() + 0.25) / 255
    pixels = tensor_to_pixels(tensors, SPECS[name])
    pictures = [Image.fromarray(each[:, :, 0] if channels == 1 else each) for each in levels]
    expected = stack_pixels([to_pixels(picture, SPECS[name]) for picture in pictures])
    assert pixels.dtype == expected.dtype and torch.equal(pixels, expected)
    assert torch.equal(normalize(pixels, SPECS[name]), normalize(expected, SPECS[name]))


@pytest.mark.skipif(DEVICES == ["cpu"], reason="needs a CUDA device")
@pytest.mark.parametrize("name", SPECS)
def test_a_device_gives_the_same_levels_and_floats_within_rounding(name: str) -> None:
    images = torch.rand(2, 411, 600, 3, generator=torch.Generator().manual_seed(1))
    here, there = (tensor_to_pixels(images.to(device), SPECS[name]).cpu() for device in DEVICES)
    if here.dtype == torch.uint8:
        assert torch.equal(here, there)
    torch.testing.assert_close(here, there, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["hps", "hps of 2023"])
@pytest.mark.parametrize("size", [(600, 411), (100, 150), (224, 100), (7, 500)], ids=str)
def test_the_differentiable_path_has_no_gap_where_floats_are_resized(
    name: str, size: tuple[int, int]
) -> None:
    levels = np.random.default_rng(5).integers(0, 256, (1, size[1], size[0], 3), dtype=np.uint8)
    ours = differentiable_pixels(torch.from_numpy(levels).float() / 255, SPECS[name])
    assert torch.equal(ours[0], network_input(Image.fromarray(levels[0]), SPECS[name]))


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("size", [(512, 768), (300, 200)], ids=str)
def test_the_differentiable_path_stays_within_two_levels_on_a_smooth_picture(
    name: str, size: tuple[int, int]
) -> None:
    x, y = np.meshgrid(np.linspace(0, 6, size[0]), np.linspace(0, 5, size[1]))
    waves = np.stack([127.5 + 127.5 * np.sin(x + shift) * np.cos(y - shift) for shift in range(3)], axis=2)
    levels = np.round(waves).astype(np.uint8)
    ours = differentiable_pixels(torch.from_numpy(levels)[None].float() / 255, SPECS[name])
    gap = (ours[0] - network_input(Image.fromarray(levels), SPECS[name])).abs()
    assert (gap * torch.tensor(SPECS[name].std)[:, None, None] * 255).max() < 1.5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", SPECS)
def test_gradients_reach_every_pixel_that_is_seen(name: str, channels: int) -> None:
    spec = replace(SPECS[name], size=8)
    images = torch.rand(1, 12, 17, channels, generator=torch.Generator().manual_seed(2), requires_grad=True)
    weight = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    (differentiable_pixels(images, spec) * weight).sum().backward()
    assert images.grad is not None
    seen = images.grad[:, :, 3:14] if "crop" in spec.framing else images.grad
    assert (seen != 0).all()


def test_transformers_crops_one_pixel_earlier_for_one_remainder_in_four() -> None:
    shifts = [
        place(224 + extra, 224, CLIP_SPEC).left - place(224 + extra, 224, CLIP_PROCESSOR_SPEC).left
        for extra in range(8)
    ]
    assert shifts == [0, 0, 0, 1, 0, 0, 0, 1]


@settings(deadline=None)
@given(width=st.integers(1, 5000), height=st.integers(1, 5000), size=st.integers(1, 512))
def test_letterbox_keeps_the_whole_picture_and_squash_fills_the_square(
    width: int, height: int, size: int
) -> None:
    placement = place(width, height, replace(HPS_SPEC, size=size))
    assert (placement.kept_width, placement.kept_height) == (placement.width, placement.height)
    assert max(placement.width, placement.height) == size and min(placement.width, placement.height) >= 1
    assert 0 <= size - placement.width - 2 * placement.pad_left <= 1
    assert 0 <= size - placement.height - 2 * placement.pad_top <= 1
    squashed = place(width, height, replace(SIGLIP_SPEC, size=size))
    assert (squashed.width, squashed.height, squashed.kept_width, squashed.kept_height) == (size,) * 4


def test_letterbox_is_black_and_pad_has_the_mean_colour() -> None:
    image = Image.new("RGB", (500, 261), (200, 10, 90))
    boxed = to_pixels(image, HPS_SPEC)
    assert boxed.dtype == np.float32 and (boxed[[0, -1]] == 0).all()
    whole = CLIP_PROCESSOR_SPEC.whole_picture()
    assert (to_pixels(image, whole)[[0, -1]] == mean_color(whole)).all()
    floats = to_pixels(image, replace(HPS_SPEC, framing="pad"))
    np.testing.assert_allclose(floats[0, 0] * 255, mean_color(HPS_SPEC), rtol=1e-6)


def test_a_picture_hpsv2_itself_cannot_score_is_letterboxed_like_its_neighbours() -> None:
    at_size, nearly = (to_pixels(Image.new("RGB", (width, 100), "white"), HPS_SPEC) for width in (224, 225))
    assert at_size.shape == (224, 224, 3) and (at_size[:62] == 0).all() and (at_size[62:162] == 1).all()
    assert (nearly[:62] == 0).all() and (nearly[162:] == 0).all()
    thin = to_pixels(Image.new("RGB", (1, 5000), "white"), HPS_SPEC)
    assert (thin.sum(axis=(0, 2)) > 0).sum() == 1


def test_floats_overshoot_as_the_network_was_trained_with_them() -> None:
    edge = Image.new("L", (300, 300))
    edge.paste(255, (150, 0, 300, 300))
    pixels = to_pixels(edge, HPS_SPEC)
    assert pixels.min() < -0.004 and pixels.max() > 1.004


@pytest.mark.parametrize("name", SPECS)
def test_normalising_leaves_the_pixels_alone(name: str) -> None:
    pixels = stack_pixels([to_pixels(specimen("RGB", 60, 40), SPECS[name])])
    kept = pixels.clone()
    normalize(pixels, SPECS[name])
    assert torch.equal(pixels, kept)


@pytest.mark.parametrize("name", SPECS)
def test_a_transparent_palette_picture_warns_nobody_and_stays_as_it_was(name: str) -> None:
    image = specimen("P+transparency", 50, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_pixels(image, SPECS[name])
    assert image.mode == "P" and "transparency" in image.info


@pytest.mark.parametrize("name", ["clip processor", "hps", "siglip"])
def test_a_mode_that_cannot_become_rgb_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(ImageError, match="8-bit RGB"):
        to_pixels(Image.new("La", (30, 40)), SPECS[name])


def test_equal_specs_share_a_group_and_different_ones_do_not() -> None:
    assert hash(CLIP_SPEC) == hash(IMAGEREWARD_SPEC) and CLIP_SPEC == IMAGEREWARD_SPEC == ImageSpec()
    assert len({CLIP_SPEC, IMAGEREWARD_SPEC, CLIP_PROCESSOR_SPEC, HPS_SPEC, HPS_OF_2023, SIGLIP_SPEC}) == 5
    assert replace(HPS_SPEC) == HPS_SPEC and hash(replace(HPS_SPEC)) == hash(HPS_SPEC)


PUBLISHED = [IMAGEREWARD_SPEC, CLIP_SPEC, CLIP_PROCESSOR_SPEC, HPS_SPEC, SIGLIP_SPEC]


@pytest.mark.parametrize("spec", PUBLISHED)
def test_only_the_published_framing_and_resizing_are_on_reference(spec: ImageSpec) -> None:
    assert spec.on_reference and replace(spec, size=64).on_reference
    for other in PUBLISHED:
        for changed in (replace(spec, framing=other.framing), replace(spec, resizing=other.resizing)):
            assert changed.on_reference == (changed == spec)
    assert not replace(spec, framing="pad").on_reference
    assert not HPS_OF_2023.on_reference


@pytest.mark.parametrize("spec", PUBLISHED)
def test_a_user_s_whole_picture_is_off_reference_only_where_the_scorer_crops(spec: ImageSpec) -> None:
    crops = "crop" in spec.framing
    assert spec.whole_picture().on_reference != crops
    assert spec.whole_picture() == (replace(spec, framing="pad") if crops else spec)
    assert spec.whole_picture().whole_picture() == spec.whole_picture()
