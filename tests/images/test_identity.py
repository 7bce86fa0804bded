"""Pictures are told apart by their pixels, and pictures that look alike are near each other."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagereward_core.demo.scenes import draw, random_scene
from imagereward_core.errors import ImageError
from imagereward_core.images import identity
from imagereward_core.images.decode import open_bytes, open_image
from imagereward_core.images.identity import HASH_BYTES, content_hash, fingerprint

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16")


def scene(seed, size=160):
    import random

    rng = random.Random(seed)
    return draw(random_scene(rng), rng, size)


def saved(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def far(one, other):
    return (fingerprint(one) ^ fingerprint(other)).bit_count()


def test_metadata_and_compression_do_not_count():
    text = PngInfo()
    text.add_itxt("parameters", "a cat")
    files = [
        saved(scene(1)),
        saved(scene(1), compress_level=0, pnginfo=text, dpi=(300, 300)),
        saved(scene(1), "BMP"),
        saved(scene(1), "WEBP", lossless=True),
    ]
    assert len({content_hash(open_bytes(data, "x")) for data in files}) == 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MODES[1:7]), st.integers(0, 19), st.integers(0, 14))
def test_every_pixel_counts(mode, x, y):
    image = scene(2, 20).convert("RGB").convert(mode)
    other = image.copy()
    old = image.getpixel((x, y))
    other.putpixel((x, y), (old + 1) % 256 if isinstance(old, int) else ((old[0] + 1) % 256, *old[1:]))
    assert content_hash(image) != content_hash(other)


def test_mode_size_and_palette_count():
    grey = scene(3).convert("L")
    assert content_hash(grey) != content_hash(grey.convert("RGB"))
    row = np.arange(12, dtype=np.uint8)
    assert content_hash(Image.fromarray(row.reshape(3, 4))) != content_hash(
        Image.fromarray(row.reshape(4, 3))
    )
    first = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).convert("P")
    other = first.copy()
    other.putpalette(bytes(reversed(bytes(first.getpalette()))))
    assert content_hash(first) != content_hash(other)


@pytest.mark.parametrize("mode", MODES)
def test_strips_do_not_show_in_the_hash(mode, monkeypatch):
    image = scene(4, 37).convert("L" if mode in ("I", "F", "I;16") else "RGB").convert(mode)
    whole = content_hash(image)
    assert len(whole) == HASH_BYTES
    monkeypatch.setattr(identity, "_STRIP_PIXELS", 100)
    assert content_hash(image) == whole


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "I;16"])
def test_every_mode_has_a_fingerprint(mode):
    image = scene(5).convert("L" if mode in ("I", "F") else "RGB").convert(mode)
    assert 0 <= fingerprint(image) < 2**64


@pytest.mark.parametrize("seed", range(6))
def test_pictures_that_look_alike_are_near_and_others_are_far(seed):
    image = scene(seed, 512)
    smaller = image.resize((300, 300), Image.Resampling.LANCZOS)
    pressed = Image.open(io.BytesIO(saved(image, "JPEG", quality=40)))
    see_through = image.convert("RGBA")
    assert max(far(image, other) for other in (smaller, pressed, see_through)) <= 6
    others = [far(image, scene(other, 512)) for other in range(6) if other != seed]
    assert min(others) > 6


@pytest.mark.parametrize("colour", ["black", "white", "teal"])
def test_a_picture_of_one_colour_has_at_most_one_bit(colour):
    assert fingerprint(Image.new("RGB", (100, 60), colour)).bit_count() <= 1


def test_a_picture_of_one_pixel_has_an_identity():
    image = Image.new("RGB", (1, 1), "red")
    assert len(content_hash(image)) == HASH_BYTES and fingerprint(image).bit_count() <= 1


@pytest.mark.parametrize("data", [b"", b"no picture", saved(scene(6))[:400]], ids=["empty", "text", "half"])
def test_bytes_and_files_fail_with_the_same_words(data, tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(data)
    with pytest.raises(ImageError) as from_file:
        open_image(path)
    with pytest.raises(ImageError) as from_bytes:
        open_bytes(data, str(path))
    assert (
        str(from_file.value).replace(str(path), "")[:60] == str(from_bytes.value).replace(str(path), "")[:60]
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_bytes_and_files_open_to_the_same_pixels(form, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(saved(scene(7), form))
    one, other = open_image(path), open_bytes(path.read_bytes(), "x")
    assert one.mode == other.mode and one.tobytes() == other.tobytes()
