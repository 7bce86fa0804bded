"""The resampler over tensors gives Pillow's bytes: any size, any region, either order of passes, either
arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.images import resample
from imagereward_core.images.geometry import vertical_pass_first
from imagereward_core.images.resample import bicubic_taps, resize_bicubic

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def pillow_resize(levels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize every channel of ``[H, W, C]`` as a grey picture of its own."""
    planes = [Image.fromarray(np.ascontiguousarray(levels[:, :, c])) for c in range(levels.shape[2])]
    return np.stack([np.asarray(plane.resize((width, height), Image.BICUBIC)) for plane in planes], axis=2)


def as_batch(levels: np.ndarray, device: str = "cpu") -> torch.Tensor:
    return torch.from_numpy(levels).permute(2, 0, 1)[None].to(device)


def as_levels(batch: torch.Tensor) -> np.ndarray:
    return batch[0].permute(1, 2, 0).cpu().numpy()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", [0, 2])
@pytest.mark.parametrize(
    "sizes",
    [
        (512, 512, 224, 224),
        (33, 47, 224, 319),
        (700, 300, 522, 224),
        (90, 90, 90, 31),
        (90, 90, 31, 90),
        (5, 5, 5, 5),
    ],
    ids=str,
)
def test_whole_pictures_equal_pillow_byte_for_byte(sizes, seed, device, noise_levels):
    in_height, in_width, height, width = sizes
    levels = noise_levels(in_height, in_width, 3, seed)
    order = vertical_pass_first(in_width, in_height, width, height)
    resized = resize_bicubic(as_batch(levels, device), (height, width), vertical_first=order)
    assert resized.dtype == torch.uint8 and resized.device.type == device
    np.testing.assert_array_equal(as_levels(resized), pillow_resize(levels, height, width))


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    in_height=st.integers(1, 400),
    in_width=st.integers(1, 400),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_any_region_of_any_resize_equals_pillow(data, in_height, in_width, height, width, seed, noise_levels):
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left))
    levels = noise_levels(in_height, in_width, 1, seed)
    order = vertical_pass_first(in_width, in_height, width, height)
    region = resize_bicubic(as_batch(levels), (height, width), (top, left, rows, columns), order)
    expected = pillow_resize(levels, height, width)[top : top + rows, left : left + columns]
    np.testing.assert_array_equal(as_levels(region), expected)


@pytest.mark.parametrize("sizes", [(90, 70, 31, 24), (20, 30, 224, 336), (64, 300, 10, 40)], ids=str)
def test_each_order_of_passes_equals_two_pillow_resizes(sizes, noise_levels):
    in_height, in_width, height, width = sizes
    levels = noise_levels(in_height, in_width, 3, seed=2)
    rows_first = pillow_resize(pillow_resize(levels, in_height, width), height, width)
    columns_first = pillow_resize(pillow_resize(levels, height, in_width), height, width)
    batch = as_batch(levels)
    np.testing.assert_array_equal(as_levels(resize_bicubic(batch, (height, width))), rows_first)
    np.testing.assert_array_equal(
        as_levels(resize_bicubic(batch, (height, width), vertical_first=True)), columns_first
    )
    assert (rows_first != columns_first).any()


@settings(deadline=None, max_examples=40)
@given(in_size=st.integers(1, 3000), out_size=st.integers(1, 600), seed=st.integers(0, 99))
def test_integer_arithmetic_equals_float64_arithmetic(in_size, out_size, seed, noise_levels):
    rows = torch.from_numpy(noise_levels(5, in_size, 1, seed)[:, :, 0])
    taps = bicubic_taps(in_size, out_size, 0, out_size)
    cut = rows[:, taps.start : taps.stop]
    assert torch.equal(resample._pass_int32(cut, taps), resample._pass_float64(cut, taps))


def test_small_chunks_change_nothing(monkeypatch, noise_levels):
    batch = as_batch(noise_levels(100, 90, 3))
    whole = resize_bicubic(batch, (40, 50))
    monkeypatch.setitem(resample._CHUNK_VALUES, "cpu", 1000)
    assert torch.equal(resize_bicubic(batch, (40, 50)), whole)


def test_pictures_of_a_batch_do_not_mix(noise_levels):
    batch = torch.cat([as_batch(noise_levels(60, 80, 3, seed)) for seed in range(4)])
    together = resize_bicubic(batch, (24, 32))
    alone = torch.cat([resize_bicubic(picture[None], (24, 32)) for picture in batch])
    assert torch.equal(together, alone)
    assert resize_bicubic(batch[:0], (24, 32)).shape == (0, 3, 24, 32)


def test_a_crop_of_a_huge_upscale_reads_only_what_it_needs():
    taps = bicubic_taps(20_000, 1_493_333, 746_554, 746_778)
    assert taps.stop - taps.start < 12
    assert taps.weights.shape == (224, 5)


@settings(deadline=None)
@given(in_size=st.integers(1, 4000), out_size=st.integers(1, 2000))
def test_weights_of_each_output_add_up_to_one(in_size, out_size):
    taps = bicubic_taps(in_size, out_size, 0, out_size)
    total = taps.weights.astype(np.int64).sum(axis=1)
    assert abs(total - 2**22).max() <= taps.weights.shape[1]  # each weight is rounded by half a unit at most


@pytest.mark.parametrize(
    "bad", [torch.zeros(1, 3, 4, 4), torch.zeros(3, 4, 4, dtype=torch.uint8)], ids=["float", "3d"]
)
def test_other_tensors_are_refused(bad):
    with pytest.raises(ValueError, match="uint8 tensor"):
        resize_bicubic(bad, (2, 2))
