"""Files in every container, written with Pillow alone, and their parts told apart without the code under test."""

from __future__ import annotations

import re
import struct
import zlib

from PIL import Image, PngImagePlugin, features

from benchmarks.generator_files import small_picture
from imagereward_core.metadata.writing.plan import plan_edit
from imagereward_core.metadata.writing.splice import apply

HAS_AVIF = "AVIF" in Image.registered_extensions().values() and features.check("avif")

INFOTEXT = (
    "ein Kätzchen, 猫, кот 🐈\nNegative prompt: 低品質\n"
    "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 8x8, Model: dream, Version: v1.10.1"
)
FIELDS = {"aesthetic_score": "6.1000", "ImageReward": "-0.5312"}
OTHER_FIELDS = {"aesthetic_score": "5.2500", "PickAPic": "21.4300", "blend_mine": "0.1000"}

# What the WebUI splits a settings line with (modules/infotext_utils.py).
WEBUI = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def webui_settings(text):
    """The settings as the WebUI's "read parameters" button sees them."""
    found = WEBUI.findall(text.strip().split("\n")[-1])
    return dict(found) if len(found) >= 3 else {}


def png(path, after_pixels=(), **texts):
    """A PNG with these texts before the pixels, and further chunks behind them."""
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    small_picture().save(path, pnginfo=info)
    data = path.read_bytes()
    cut = data.rindex(b"IEND") - 4
    path.write_bytes(data[:cut] + b"".join(after_pixels) + data[cut:])
    return path


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_chunks(data):
    """All chunks as (type, data), checksums verified."""
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + length
        if kind == b"IEND":
            break
    return found, data[at:]


def jpeg_segments(data):
    """Segments before the scan as (marker, data), and everything from the scan on."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found, data[at:]


def webp_chunks(data):
    """All chunks as (name, data); sizes and padding verified."""
    assert data[:4] == b"RIFF" and struct.unpack("<I", data[4:8])[0] == len(data) - 8
    found, at = [], 12
    while at < len(data):
        length = struct.unpack("<I", data[at + 4 : at + 8])[0]
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    assert at == len(data)
    return found


def edited(path, fields=None, block=""):
    """The file with the plan carried out, in place; returns its bytes."""
    data = apply(path.read_bytes(), plan_edit(path, FIELDS if fields is None else fields, block))
    path.write_bytes(data)
    return data
