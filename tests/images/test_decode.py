"""Whatever is handed in becomes a loaded picture or one ImageError that names it and says what to do."""

from __future__ import annotations

import builtins
import io
import os
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, features

from imagereward_core.errors import ImageError
from imagereward_core.images.decode import open_image, source_name
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec

SPEC = ImageSpec()
needs_webp = pytest.mark.skipif(not features.check("webp"), reason="this Pillow has no WebP")


def rgb_picture(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_declaring(width: int, height: int) -> bytes:
    """A PNG whose header promises a size that its few bytes of data cannot fill."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "bmp", "gif", "tif", pytest.param("webp", marks=needs_webp)]
)
def test_files_open_loaded_and_closed(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"picture.{suffix}"
    rgb_picture().save(path)
    handles = []
    real_open = builtins.open

    def recording_open(*args, **kwargs):
        handles.append(real_open(*args, **kwargs))
        return handles[-1]

    monkeypatch.setattr(builtins, "open", recording_open)
    image = open_image(path)
    monkeypatch.undo()
    assert handles and all(handle.closed for handle in handles)
    path.unlink()
    assert to_pixels(image, SPEC).shape == (224, 224, 3)
    assert image.size == (64, 48)


@pytest.mark.parametrize("kind", [str, lambda path: path, os.fspath], ids=["str", "Path", "fspath"])
def test_paths_of_every_kind_are_taken(kind, tmp_path):
    path = tmp_path / "bild mit ümläut.png"
    rgb_picture().save(path)
    assert open_image(kind(path)).tobytes() == rgb_picture().tobytes()


def test_content_counts_not_the_suffix(tmp_path):
    path = tmp_path / "really_a_png.txt"
    rgb_picture().save(path, format="PNG")
    assert open_image(path).size == (64, 48)


def hostile_file(kind, folder):
    path = folder / f"{kind.replace(' ', '_')}.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("a prompt, not a picture")
    elif kind == "bomb":
        path.write_bytes(png_declaring(60_000, 60_000))
    elif kind == "lying header":
        path.write_bytes(png_declaring(500, 500))
    elif kind == "broken chunk":
        path.write_bytes(png_declaring(50, 50).replace(b"IDAT", b"IDxT"))
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    ("kind", "found", "advice"),
    [
        ("missing", "no such file", "Check the path"),
        ("folder", "found a folder", "Name a file"),
        ("empty", r"empty \(0 bytes\)", "Save or download"),
        ("text", "not a picture", "Replace or remove"),
        ("bomb", "too many pixels", "Scale it down"),
        ("lying header", "cannot be decoded", "Save or download"),
        ("broken chunk", "(cannot be decoded|not a picture)", "(Save or download|Replace or remove)"),
        ("pipe", "found a pipe", "into a file"),
    ],
)
def test_hostile_files_fail_with_name_finding_expectation_and_advice(kind, found, advice, tmp_path):
    path = hostile_file(kind, tmp_path)
    with pytest.raises(ImageError, match=found) as caught:
        open_image(path)
    text = str(caught.value)
    assert path.name in text and "expected" in text
    assert re.search(advice, text)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", pytest.param("webp", marks=needs_webp)])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_file_fails_while_opening(suffix, share, tmp_path):
    path = tmp_path / f"cut.{suffix}"
    rgb_picture(200, 150).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=rf"cut\.{suffix}"):
        open_image(path)


def test_a_picture_between_one_and_two_limits_opens_in_silence(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    rgb_picture(30, 50).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = open_image(path)
    assert image.size == (30, 50) and not caught
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    with pytest.raises(ImageError, match="at most 1400"):
        open_image(path)


def animation(path, format_name):
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if format_name == "WEBP" else {}
    frames[0].save(path, format=format_name, save_all=True, append_images=frames[1:], duration=100, **options)


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "TIFF", pytest.param("WEBP", marks=needs_webp)])
def test_only_the_first_frame_counts(format_name, tmp_path):
    path = tmp_path / "animation"
    animation(path, format_name)
    pixels = to_pixels(open_image(path), SPEC)
    assert (pixels == (255, 0, 0)).all()


def test_a_pillow_picture_is_taken_at_the_frame_it_stands_at(tmp_path):
    path = tmp_path / "animation.gif"
    animation(path, "GIF")
    with Image.open(path) as image:
        image.seek(2)
        assert open_image(image) is image
        assert (to_pixels(image, SPEC) == (0, 0, 255)).all()


def test_a_closed_pillow_picture_fails_by_its_name(tmp_path):
    path = tmp_path / "closed.png"
    rgb_picture().save(path)
    image = Image.open(path)
    image.close()
    with pytest.raises(ImageError, match=r"closed\.png"):
        open_image(image)


def test_exif_orientation_is_ignored(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb_picture(64, 48).save(path, exif=exif)
    image = open_image(path)
    assert image.getexif()[0x0112] == 6 and image.size == (64, 48)


def test_a_16_bit_png_clips_to_white_as_in_the_reference(tmp_path, pillow_chain):
    path = tmp_path / "deep.png"
    words = np.random.default_rng(0).integers(300, 65_536, (224, 224), dtype=np.uint16)
    Image.frombytes("I;16", (224, 224), words.astype("<u2").tobytes()).save(path)
    pixels = to_pixels(open_image(path), SPEC)
    assert (pixels == 255).all()
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels, pillow_chain(image, 224))


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4)], ids=str)
def test_uint8_arrays_are_taken_as_they_are(shape):
    levels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    image = open_image(levels)
    assert image.mode == {2: "L"}.get(levels.ndim, {1: "L", 3: "RGB", 4: "RGBA"}.get(shape[-1]))
    np.testing.assert_array_equal(np.asarray(image).reshape(shape), levels)


def test_a_later_change_of_the_array_does_not_reach_the_picture():
    levels = np.zeros((8, 8), dtype=np.uint8)
    image = open_image(levels)
    levels[:] = 9
    assert image.getextrema() == (0, 0)


def test_views_with_strides_are_read_in_order():
    levels = np.random.default_rng(2).integers(0, 256, (3, 20, 30), dtype=np.uint8)
    view = levels.transpose(1, 2, 0)[::-1]
    np.testing.assert_array_equal(np.asarray(open_image(view)), view)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_arrays_become_levels_as_save_image_makes_them(dtype):
    floats = np.linspace(-0.5, 1.5, 20 * 30 * 3).reshape(20, 30, 3).astype(dtype)
    floats[0, 0] = np.inf, -np.inf, 0.999
    if dtype is np.float64:
        floats[0, 1] = 1e300, -1e300, 0
    with np.errstate(over="ignore"):
        expected = np.clip(255.0 * floats.astype(np.float32), 0, 255).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = open_image(floats)
    np.testing.assert_array_equal(np.asarray(image), expected)
    assert image.getpixel((0, 0)) == (255, 0, 254)


def test_bool_arrays_are_one_bit_pictures_or_full_levels():
    mask = np.random.default_rng(3).random((20, 30)) > 0.5
    assert open_image(mask).mode == "1" and open_image(mask[:, :, None]).mode == "1"
    np.testing.assert_array_equal(np.asarray(open_image(mask)), mask)
    colors = np.stack([mask, ~mask, mask], axis=2)
    np.testing.assert_array_equal(np.asarray(open_image(colors)), colors * 255)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_file_with_numbers_that_are_none_is_refused(tmp_path, wrong):
    levels = np.full((5, 4), 100.0, dtype=np.float32)
    Image.fromarray(levels).save(tmp_path / "good.tif")
    levels[2, 3] = wrong
    Image.fromarray(levels).save(tmp_path / "bad.tif")
    assert open_image(tmp_path / "good.tif").mode == "F"
    with pytest.raises(ImageError, match=r"bad\.tif: .*NaN or infinity"):
        open_image(tmp_path / "bad.tif")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((4, 4), dtype=np.uint16), "uint16.*65535"),
        (np.zeros((4, 4), dtype=np.int64), "int64.*expected uint8"),
        (np.zeros((4, 4), dtype=complex), "complex128"),
        (np.array([["a"]]), "expected uint8"),
        (np.zeros((2, 4, 4, 3), dtype=np.uint8), "2 x 4 x 4 x 3.*one picture at a time"),
        (np.zeros((3, 4, 4), dtype=np.uint8)[:, :, :2], "channels last"),
        (np.zeros((0, 4, 3), dtype=np.uint8), "at least one pixel"),
        (np.array(3.0), "no dimensions"),
        (np.full((4, 4, 3), np.nan, dtype=np.float32), "NaN"),
        (b"\x89PNG", "object of type bytes; expected a path"),
        (None, "object of type NoneType"),
        ("", "no such file"),
        ("zero\0byte.png", "cannot be read"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_other_sources_are_refused_with_what_was_found(source, message):
    with pytest.raises(ImageError, match=message):
        open_image(source)


def test_names_never_break_a_terminal(tmp_path):
    assert source_name(os.fsdecode(b"caf\xe9.png")) in ("caf\\udce9.png", "caf\xe9.png")
    assert source_name(tmp_path / "a.png").endswith("a.png")
    assert source_name(rgb_picture()) == "picture in memory (RGB, 64 x 48)"
    file = io.BytesIO()
    rgb_picture().save(file, format="PNG")
    assert source_name(Image.open(file)) == "picture in memory (RGB, 64 x 48)"


@pytest.mark.parametrize(
    ("mode", "level", "noted"),
    [
        ("I;16", 40_000, "grey of 16 bits: scorers see all levels above 255 as white"),
        ("I;16", 200, ""),
        ("L", 200, ""),
        ("F", 0.5, "grey of floating-point numbers: scorers see all levels up to 1 as black"),
        ("F", 1000.0, "grey of floating-point numbers: scorers see all levels above 255 as white"),
        ("F", 200.0, ""),
    ],
)
def test_grey_that_is_no_grey_of_8_bits_is_said_to_be_clipped(mode, level, noted, tmp_path):
    from imagereward_core.metadata.prompt_finder import PromptFinder

    path = tmp_path / "grey.tif"
    Image.new(mode, (8, 8), level).save(path)
    for found in (PromptFinder("a cat")(path), PromptFinder("a cat")(path, path.read_bytes())):
        assert found.picture_note.startswith(noted) and bool(found.picture_note) is bool(noted)
        assert found.notes == ((found.picture_note,) if noted else ())
