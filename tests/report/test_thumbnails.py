from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from imagereward_core.report.thumbnails import LARGEST_SIDE, thumbnail, thumbnail_side, thumbnails


def opened(small) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(small.uri.partition("base64,")[2])))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"]
)
def test_pictures_of_every_mode_have_a_thumbnail(mode):
    small = thumbnail(Image.new(mode, (500, 100)))
    assert small is not None and (small.width, small.height) == (384, 77)
    assert opened(small).size == (384, 77)


def test_transparency_is_kept():
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    assert opened(thumbnail(image)).mode == "RGBA"
    assert opened(thumbnail(Image.new("RGBA", (20, 20), (255, 0, 0, 255)))).mode == "RGB"


def test_small_pictures_are_not_enlarged():
    small = thumbnail(Image.new("RGB", (10, 12)))
    assert small is not None and (small.width, small.height) == (10, 12)


def test_photographs_become_jpeg_and_drawings_png():
    noise = Image.effect_noise((200, 200), 90).convert("L")
    colourful = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180)))
    assert thumbnail(colourful).uri.startswith("data:image/jpeg;base64,")
    assert thumbnail(Image.new("RGB", (200, 200), "red")).uri.startswith("data:image/png;base64,")


def test_pictures_that_were_turned_when_taken_are_shown_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    small = thumbnail(tmp_path / "turned.jpg")
    assert small is not None and (small.width, small.height) == (20, 40)


def test_the_picture_itself_is_left_alone():
    image = Image.new("RGB", (800, 600))
    thumbnail(image)
    assert image.size == (800, 600)


def test_order_is_kept_and_unreadable_pictures_are_none(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"bad")
    sources = [Image.new("RGB", (number + 1, 5)) for number in range(70)]
    widths = [each and each.width for each in thumbnails([*sources, tmp_path / "bad.png", None])]
    assert widths == [*range(1, 71), None, None]


def test_pages_of_many_pictures_have_smaller_ones():
    assert thumbnail_side(10) == LARGEST_SIDE > thumbnail_side(1000) > thumbnail_side(5000)
