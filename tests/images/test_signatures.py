"""Pictures are told by their first bytes, whatever they are called and whether or not they can be opened."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from imagereward_core.images.signatures import SIGNATURE_BYTES, is_picture

FORMATS = "PNG JPEG GIF BMP TIFF WEBP PPM ICO ICNS DDS PCX SGI JPEG2000".split()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_every_picture_that_pillow_writes_is_known(form, mode):
    file = io.BytesIO()
    try:
        Image.new("L", (33, 32), 200).convert(mode).save(file, form)
    except (OSError, KeyError, ValueError):
        pytest.skip("this Pillow does not write it")
    assert is_picture(file.getvalue()[:SIGNATURE_BYTES])
    assert is_picture(file.getvalue()[:64])


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypcrx \0\0\0\1",
        b"II*\0\x10\0\0\0CR\2\0",
        b"FUJIFILMCCD-RAW 0201",
        b"\xff\x0a\x00",
        b"8BPS\0\1",
        b"\x76\x2f\x31\x01",
        b"gimp xcf v011\0",
        b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg">',
        b"\xef\xbb\xbf<svg>",
    ],
)
def test_pictures_that_nothing_here_opens_are_known(head):
    assert is_picture(head + bytes(40))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"file,score,percentile\n",
        b"{}",
        b"<!doctype html><svg>",
        b"BMW,score\n0000000000000000000000",
        b"P6 is the best of all\n",
        b"GIF, PNG or JPEG?",
        b"RIFF....AVI ",
        b"<html>",
        b"PAR1",
        b"PK\x03\x04" + bytes(60),
    ],
)
def test_texts_and_other_files_are_not(head):
    assert not is_picture(head)
