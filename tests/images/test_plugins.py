"""Formats that Pillow alone does not read, and pictures that are shown turned."""

from __future__ import annotations

import sys
import types

import pytest
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.images.decode import open_image
from imagereward_core.images.identity import fingerprint

FOREIGN = {
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "pillow-heif"),
    "jxl": (b"\xff\x0a" + bytes(64), "pillow-jxl-plugin"),
    "psd": (b"8BPS\0\2" + bytes(64), "export it as PNG"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_format_that_needs_a_package_is_refused_with_its_name(kind, tmp_path, monkeypatch):
    data, remedy = FOREIGN[kind]
    for module in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / f"picture.{kind}"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=remedy):
        open_image(path)


def test_it_opens_once_the_package_is_there(tmp_path, monkeypatch):
    package = types.ModuleType("pillow_jxl")
    path = tmp_path / "picture.jxl"
    path.write_bytes(FOREIGN["jxl"][0])
    real, known = Image.open, []

    def opened(source, *args, **more):
        return Image.new("RGB", (4, 4)) if known else real(source, *args, **more)

    monkeypatch.setattr(Image, "open", opened)
    monkeypatch.setattr(
        "imagereward_core.images.plugins.import_module", lambda name: known.append(name) or package
    )
    assert open_image(path).size == (4, 4) and known == ["pillow_jxl"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stored_turned_looks_like_its_upright_twin(orientation, tmp_path):
    from PIL import ImageOps

    image = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
    image.paste("navy", (60, 5, 90, 30))
    image.paste("yellow", (5, 40, 25, 60))
    back = {6: 8, 8: 6}.get(orientation, orientation)  # turns undo each other, flips undo themselves
    image.getexif()[0x0112] = back
    stored = ImageOps.exif_transpose(image)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    upright = Image.new("RGB", image.size)
    upright.paste(image)
    assert (fingerprint(open_image(tmp_path / "turned.png")) ^ fingerprint(upright)).bit_count() <= 1
