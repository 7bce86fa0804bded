"""Text blocks in every kind of file, written with Pillow alone."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, features

from imagereward_core.errors import ImageError
from imagereward_core.metadata.containers.blocks import read_blocks
from imagereward_core.metadata.containers.text_encoding import decode_text, decode_user_comment
from imagereward_core.metadata.picture_prompt import read_prompt
from tests.support.metadata.exif_files import exif_block

INFOTEXT = "ein Kätzchen, 猫, кот 🐈\nNegative prompt: 低品質\nSteps: 20, Sampler: Euler, Seed: 7, Size: 8x8"
HAS_AVIF = "AVIF" in Image.registered_extensions().values() and features.check("avif")
EXIF_FORMATS = [
    "JPEG",
    "WEBP",
    "PNG",
    pytest.param("AVIF", marks=pytest.mark.skipif(not HAS_AVIF, reason="no AVIF")),
]


def small_picture():
    return Image.new("RGB", (8, 8), (200, 80, 40))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(path, *chunks, after_pixels=True):
    """A PNG with further chunks before its end, or right behind its header."""
    small_picture().save(path)
    data = path.read_bytes()
    cut = data.index(b"IEND") - 4 if after_pixels else 33
    path.write_bytes(data[:cut] + b"".join(chunks) + data[cut:])
    return path


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt compressed"])
def test_png_text_of_every_kind_is_read(tmp_path, kind):
    path = tmp_path / "a.png"
    info = PngImagePlugin.PngInfo()
    text = INFOTEXT if kind.startswith("iTXt") else "a caf\xe9, a cat\nSteps: 20, Sampler: Euler, Seed: 7"
    if kind.startswith("iTXt"):
        info.add_itxt("parameters", text, zip=kind.endswith("compressed"))
    else:
        info.add_text("parameters", text, zip=kind == "zTXt")
    small_picture().save(path, pnginfo=info)
    assert read_blocks(path) == {"parameters": text}
    with Image.open(path) as image:
        assert read_blocks(image)["parameters"] == text


@pytest.mark.parametrize("after_pixels", [True, False])
def test_png_text_behind_the_pixels_is_read_too(tmp_path, after_pixels):
    path = png_with(tmp_path / "a.png", png_chunk(b"tEXt", b"parameters\0a cat"), after_pixels=after_pixels)
    assert read_blocks(path) == {"parameters": "a cat"}


def test_utf8_in_a_latin1_chunk_is_read_as_utf8(tmp_path):
    path = png_with(tmp_path / "a.png", png_chunk(b"tEXt", b"parameters\0" + "猫 é".encode()))
    assert read_blocks(path)["parameters"] == "猫 é"


def test_damaged_and_oversized_png_text_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("imagereward_core.metadata.containers.png.MAX_TEXT_BYTES", 1000)
    path = png_with(
        tmp_path / "a.png",
        png_chunk(b"zTXt", b"bomb\0\0" + zlib.compress(b"x" * 1_000_000)),
        png_chunk(b"zTXt", b"torn\0\0" + zlib.compress(b"x" * 500)[:9] + b"\xff\xff"),
        png_chunk(b"iTXt", b"short"),
        png_chunk(b"tEXt", b"large\0" + b"x" * 2000),
        png_chunk(b"tEXt", b"parameters\0a cat"),
    )
    assert read_blocks(path) == {"parameters": "a cat"}


def test_a_picture_pillow_refuses_over_one_text_is_still_read(tmp_path):
    path = png_with(
        tmp_path / "a.png",
        png_chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b" " * (PngImagePlugin.MAX_TEXT_CHUNK + 10))),
        png_chunk(b"tEXt", b"parameters\0a cat"),
    )
    found = read_prompt(path)
    assert found is not None and found.prompt == "a cat"


@pytest.mark.parametrize("cut", [8, 20, 40, 60, 80])
def test_a_png_cut_short_gives_what_is_left(tmp_path, cut):
    path = png_with(tmp_path / "a.png", png_chunk(b"tEXt", b"parameters\0a cat"), after_pixels=False)
    path.write_bytes(path.read_bytes()[:cut])
    assert read_blocks(path) in ({}, {"parameters": "a cat"})


@pytest.mark.parametrize("format_name", EXIF_FORMATS)
@pytest.mark.parametrize(
    ("endian", "comment"),
    [
        (">", b"UNICODE\0" + INFOTEXT.encode("utf-16-be")),
        ("<", b"UNICODE\0" + INFOTEXT.encode("utf-16-be")),
        (">", b"UNICODE\0" + INFOTEXT.encode("utf-16-le")),
        ("<", b"UNICODE\0" + INFOTEXT.encode("utf-16-le")),
        (">", b"UNICODE\0" + INFOTEXT.encode("utf-16")),
        (">", b"UNICODE\0" + INFOTEXT.encode()),
        (">", b"ASCII\0\0\0" + INFOTEXT.encode()),
        ("<", b"\0" * 8 + INFOTEXT.encode()),
        ("<", INFOTEXT.encode()),
    ],
)
def test_user_comment_is_read_from_every_format_and_encoding(tmp_path, format_name, endian, comment):
    path = tmp_path / f"a.{format_name.lower()}"
    small_picture().save(path, format_name, exif=exif_block(comment, endian))
    assert read_blocks(path)["UserComment"] == INFOTEXT
    with Image.open(path) as image:
        assert read_blocks(image)["UserComment"] == INFOTEXT
    found = read_prompt(path)
    assert found is not None and found.prompt == "ein Kätzchen, 猫, кот 🐈" and found.negative == "低品質"


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("endian", "<>")
def test_a_comment_without_line_breaks_is_taken_apart_in_either_byte_order(tmp_path, order, endian):
    text = "ein Kätzchen.Negative prompt: 低品質.Steps: 20, Sampler: Euler, Seed: 7"
    small_picture().save(tmp_path / "a.jpg", exif=exif_block(b"UNICODE\0" + text.encode(order), endian))
    found = read_prompt(tmp_path / "a.jpg")
    assert found is not None and (found.prompt, found.negative) == ("ein Kätzchen", "低品質")
    assert found.settings == {"Steps": "20", "Sampler": "Euler", "Seed": "7"}


@pytest.mark.parametrize("format_name", EXIF_FORMATS)
def test_comfyui_tags_of_webp_savers_are_graphs(tmp_path, format_name):
    path = tmp_path / f"a.{format_name.lower()}"
    tags = {0x010F: 'Workflow:{"nodes": []}', 0x0110: 'prompt:{"1": {}}', 0x010E: "a plain description"}
    small_picture().save(path, format_name, exif=exif_block(None, tags=tags))
    blocks = read_blocks(path)
    assert blocks["workflow"] == '{"nodes": []}'
    assert blocks["prompt"] == '{"1": {}}'
    assert blocks["ImageDescription"] == "a plain description"
    assert "Make" not in blocks


def test_jpeg_comment_is_read(tmp_path):
    path = tmp_path / "a.jpg"
    small_picture().save(path, comment=INFOTEXT.encode())
    if "comment" not in Image.open(path).info:
        data = path.read_bytes()
        segment = b"\xff\xfe" + struct.pack(">H", len(INFOTEXT.encode()) + 2) + INFOTEXT.encode()
        path.write_bytes(data[:2] + segment + data[2:])
    assert read_blocks(path)["comment"] == INFOTEXT


def test_a_picture_without_metadata_has_no_prompt(tmp_path):
    for name in ("a.png", "a.jpg", "a.webp", "a.bmp", "a.gif"):
        small_picture().save(tmp_path / name)
        assert read_prompt(tmp_path / name) is None
    assert read_prompt(small_picture()) is None


@settings(deadline=None, max_examples=150)
@given(
    noise=st.binary(max_size=200),
    start=st.sampled_from([b"", b"Exif\0\0MM\0*\0\0\0\x08", b"Exif\0\0II*\0\x08\0\0\0"]),
)
def test_damaged_exif_never_raises(noise, start):
    image = small_picture()
    image.info["exif"] = start + noise
    assert isinstance(read_blocks(image), dict)


def test_what_is_no_picture_is_an_error_that_says_so(tmp_path):
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    for path in (text, tmp_path / "missing.png", tmp_path):
        with pytest.raises(ImageError, match="cannot be opened"):
            read_prompt(path)


def test_no_pixels_are_decoded(tmp_path):
    path = tmp_path / "a.jpg"
    small_picture().resize((64, 64)).save(path, exif=exif_block(b"ASCII\0\0\0" + INFOTEXT.encode()))
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xda") + 20])
    assert read_blocks(path)["UserComment"] == INFOTEXT


@settings(deadline=None, max_examples=200)
@given(
    text=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=60),
    data=st.data(),
)
def test_any_utf16_prompt_survives_either_byte_order(text, data):
    order = data.draw(st.sampled_from(["utf-16-be", "utf-16-le"]))
    # Two words of English, as in "Steps: 20", are enough to tell the orders apart.
    comment = (
        f"{text}\nSteps: 20, Seed: 7, Sampler: Euler a, Size: 512x512, Model: xx, Version: v1.10.1, RNG: CPU"
    )
    assert decode_user_comment(b"UNICODE\0" + comment.encode(order)) == comment.lstrip("\ufeff")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_decode_to_some_text(data, big_endian):
    assert isinstance(decode_text(data, big_endian), str)
    assert isinstance(decode_user_comment(data, big_endian), str)
