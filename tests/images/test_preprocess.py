"""Pillow pictures of every mode become the reference's pixels, and pixels become the reference's floats."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.images import preprocess
from imagereward_core.images.geometry import mean_color, place, vertical_pass_first
from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.images.spec import ImageSpec
from tests.support.oracles import import_torchvision
from tests.support.pixels import stack_pixels

MODES = [
    "1",
    "L",
    "LA",
    "La",
    "P",
    "P+transparency",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
]
MODES += ["I", "I;16", "I;16B", "F"]
SPEC = ImageSpec()
SMALL = ImageSpec(size=56)  # a sixteenth of the pixels, by the same rules
SIZES = [(9, 13), (56, 56), (56, 75), (125, 65), (65, 125), (30, 175), (75, 225), (1, 1)]
SQUARES = [*((SMALL, size) for size in SIZES), (SPEC, (37, 53)), (SPEC, (500, 261))]


def picture_of_mode(mode: str, width: int, height: int) -> Image.Image:
    levels = np.random.default_rng(width * 7919 + height).integers(0, 256, (height, width, 4), dtype=np.uint8)
    bands = [Image.fromarray(np.ascontiguousarray(levels[:, :, band])) for band in range(4)]
    if mode == "1":
        return Image.fromarray(levels[:, :, 0] > 127)
    if mode == "P+transparency":
        image = Image.merge("RGB", bands[:3]).quantize(16)
        image.info["transparency"] = bytes(range(0, 160, 10))
        return image
    if mode == "P":
        return Image.merge("RGB", bands[:3]).quantize(16)
    if mode in ("LA", "La", "PA"):
        image = Image.merge(mode, bands[:2])
        if mode == "PA":
            image.putpalette(levels[0, 0, :3].tobytes() + bytes(range(255)) * 3)
        return image
    if mode in ("I", "F"):
        return Image.fromarray(
            (levels[:, :, 0].astype(np.int32) * 3 - 200).astype("int32" if mode == "I" else "float32")
        )
    if mode.startswith("I;16"):
        words = levels[:, :, 0].astype(np.uint16) * 257
        return Image.frombytes(
            mode, (width, height), words.astype(">u2" if mode.endswith("B") else "<u2").tobytes()
        )
    return Image.merge(mode, bands[: Image.getmodebands(mode)])


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_equals_the_reference_byte_for_byte(mode, reference_chain):
    for spec, size in SQUARES:
        image = picture_of_mode(mode, *size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = reference_chain(image.copy(), spec.size)
            except (ValueError, OSError):
                expected = "refused"
        pixels = _pixels_or_error(image, spec)
        if isinstance(expected, str):
            assert "8-bit RGB" in pixels, f"{size} to {spec.size}: not refused"
            continue
        assert not isinstance(pixels, str), f"{size} to {spec.size}: {pixels}"
        assert pixels.dtype == np.uint8 and pixels.flags.writeable and pixels.flags.c_contiguous
        np.testing.assert_array_equal(pixels, expected, f"{size} to {spec.size}")


def test_the_usual_modes_are_not_refused():
    for mode in MODES:
        if mode not in ("La", "RGBa", "PA", "I;16", "I;16B"):
            assert to_pixels(picture_of_mode(mode, 30, 40), SPEC).shape == (224, 224, 3)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode[0] not in "IF" and mode != "PA"])
def test_computing_the_crop_alone_changes_no_byte(mode, monkeypatch):
    sizes = [(125, 65), (30, 175), (3, 50), (50, 3), (1, 23), (23, 1), (75, 250)]
    images = {size: picture_of_mode(mode, *size) for size in sizes}
    whole = {size: _pixels_or_error(image, SMALL) for size, image in images.items()}
    monkeypatch.setattr(preprocess, "_WHOLE_PIXELS", 0)
    for size, image in images.items():
        np.testing.assert_array_equal(_pixels_or_error(image, SMALL), whole[size], str(size))


def _pixels_or_error(image: Image.Image, spec: ImageSpec) -> np.ndarray | str:
    try:
        return to_pixels(image, spec)
    except ImageError as error:
        return str(error)


@settings(deadline=None, max_examples=30)
@given(
    short=st.integers(1, 40),
    ratio=st.floats(1, 60),
    tall=st.booleans(),
    mode=st.sampled_from(["1", "P", "L", "RGB", "RGBA", "CMYK"]),
)
def test_crop_alone_equals_whole_for_any_elongated_size(short, ratio, tall, mode):
    long = int(short * ratio)
    image = picture_of_mode(mode, *((short, long) if tall else (long, short)))
    whole = to_pixels(image, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocess, "_WHOLE_PIXELS", 0)
        np.testing.assert_array_equal(to_pixels(image, SMALL), whole)


MEMORY_PROBE = """
import resource, sys
from PIL import Image
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec
unit = 1 if sys.platform == "darwin" else 1024
sizes = ((20_000, 3), (3, 20_000))
pictures = [Image.new(mode, size) for mode in ("RGB", "RGBA", "L", "P", "1") for size in sizes]
to_pixels(Image.new("RGBA", (80_000, 1)), ImageSpec())  # loads torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for picture in pictures:
    assert to_pixels(picture, ImageSpec()).shape == (224, 224, 3)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def test_very_elongated_pictures_need_little_memory():
    pytest.importorskip("resource")
    root = Path(__file__).resolve().parents[2]
    probe = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE], cwd=root, check=True, capture_output=True, text=True
    )
    # one resized picture of 224 x 1,493,333 RGB would be 1.3 GB
    assert int(probe.stdout) < 64 * 2**20


def test_very_elongated_pixels_equal_pillow(pillow_chain):
    image = picture_of_mode(
        "L", 20_000, 30
    )  # 224 x 149,333 resized: large enough for the crop to be made alone
    np.testing.assert_array_equal(to_pixels(image, SPEC), pillow_chain(image, 224))


def test_elongated_pictures_that_cannot_be_cropped_first_are_refused_before_memory_is_taken():
    with pytest.raises(ImageError, match="8-bit RGB picture or crop"):
        to_pixels(picture_of_mode("F", 20_000, 3), SPEC)


def test_a_side_beyond_what_pillow_addresses_is_refused():
    with pytest.raises(ImageError, match="less extreme"):
        place(1, 10_000_000, SPEC)


@settings(deadline=None)
@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    size=st.integers(1, 512),
    framing=st.sampled_from(["center_crop", "pad"]),
)
def test_the_square_is_always_filled(width, height, size, framing):
    placement = place(width, height, ImageSpec(size=size, framing=framing))
    if framing == "center_crop":
        assert (placement.kept_width, placement.kept_height) == (size, size)
        assert min(placement.width, placement.height) == size
    else:
        assert max(placement.width, placement.height) == size
    assert 0 <= placement.left <= placement.width - placement.kept_width
    assert 0 <= placement.top <= placement.height - placement.kept_height
    assert 0 <= placement.pad_left <= size - placement.kept_width
    assert 0 <= placement.pad_top <= size - placement.kept_height


def test_halves_in_the_crop_offset_round_to_even():
    offsets = [place(224 + extra, 224, SPEC).left for extra in (1, 3, 5, 7)]
    assert offsets == [0, 2, 2, 4]


@pytest.mark.parametrize(
    "size", [(600, 1190), (600, 1300), (1300, 600), (300, 20_000), (300, 40_000), (100, 3000)], ids=str
)
def test_the_order_of_passes_is_the_installed_pillow_s(size):
    width, height = size
    placement = place(width, height, SPEC)
    target = (placement.width, placement.height)
    image = picture_of_mode("L", width, height)
    if vertical_pass_first(*size, *target):
        between = image.resize((width, target[1]), Image.BICUBIC)
    else:
        between = image.resize((target[0], height), Image.BICUBIC)
    assert between.resize(target, Image.BICUBIC).tobytes() == image.resize(target, Image.BICUBIC).tobytes()


def test_the_order_of_passes_is_known_for_each_pillow():
    sizes = [(600, 1300, 224, 485), (300, 40_000, 224, 29_866), (1300, 600, 485, 224)]
    orders = {
        version: [vertical_pass_first(*size, version) for size in sizes]
        for version in [(9, 5), (12, 2), (13, 0)]
    }
    assert orders == {(9, 5): [False] * 3, (12, 2): [False, True, False], (13, 0): [True, True, False]}


def test_pad_shows_the_whole_picture_on_the_mean_colour():
    spec = ImageSpec(framing="pad")
    image = picture_of_mode("RGB", 500, 261)
    pixels = to_pixels(image, spec)
    inner = np.asarray(image.resize((224, int(224 * 261 / 500)), Image.BICUBIC))
    top = (224 - len(inner)) // 2
    np.testing.assert_array_equal(pixels[top : top + len(inner)], inner)
    assert (pixels[:top] == mean_color(spec)).all() and (pixels[top + len(inner) :] == mean_color(spec)).all()
    assert mean_color(spec) == (123, 117, 104)
    assert to_pixels(picture_of_mode("L", 1, 3000), spec).shape == (224, 224, 3)


def test_a_transparent_palette_picture_warns_nobody_and_keeps_its_own_entries():
    image = picture_of_mode("P+transparency", 50, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_pixels(image, SPEC)
    assert image.mode == "P" and "transparency" in image.info


def test_floats_equal_to_tensor_and_normalize_bit_for_bit():
    import_torchvision()
    from torchvision.transforms import Compose, Normalize, ToTensor

    squares = [to_pixels(picture_of_mode("RGB", 40 + seed, 60), SPEC) for seed in range(3)]
    ramp = np.arange(256, dtype=np.uint8)[None, :224, None].repeat(224, 0).repeat(3, 2)
    squares += [ramp, 255 - ramp]
    chain = Compose([ToTensor(), Normalize(SPEC.mean, SPEC.std)])
    expected = torch.stack([chain(Image.fromarray(square)) for square in squares])
    floats = normalize(stack_pixels(squares), SPEC)
    assert floats.dtype == torch.float32 and floats.shape == (5, 3, 224, 224)
    assert torch.equal(floats, expected)


def test_floats_equal_numpy_s_float32_arithmetic_bit_for_bit():
    levels = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    mean, std = (np.array(values, dtype=np.float32) for values in (SPEC.mean, SPEC.std))
    expected = (levels.astype(np.float32) / np.float32(255) - mean) / std
    floats = normalize(stack_pixels([levels]), SPEC)[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(floats, expected)


def test_opening_and_preprocessing_load_no_torch():
    code = "import sys; from imagereward_core.images import decode, preprocess; assert 'torch' not in sys.modules"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
