"""Scores in the EXIF of JPEG and WebP files: nothing else in the file changes, and nothing in the EXIF moves."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import pytest
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.metadata.containers.blocks import read_blocks
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.writing.plan import editable_format, plan_edit
from imagereward_core.metadata.writing.splice import apply, reversed_splices
from tests.support.metadata.exif_files import (
    COMMENT,
    MAKER_NOTE,
    camera_block,
    exif_block,
    parts,
    saved,
    tags,
)
from tests.support.metadata.picture_files import (
    FIELDS,
    INFOTEXT,
    OTHER_FIELDS,
    edited,
    jpeg_segments,
    small_picture,
    webp_chunks,
    webui_settings,
)

KINDS = ["JPEG", "WEBP"]
ORDERS = [">", "<"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("codec", ["utf-16-be", "utf-16-le", "utf-8"])
def test_scores_join_the_infotext_in_its_own_encoding(tmp_path, kind, order, codec):
    label = b"UNICODE\0" if codec.startswith("utf-16") else b"ASCII\0\0\0"
    comment = label + INFOTEXT.encode(codec)
    path = saved(tmp_path / "a", kind, exif_block(comment, order, {0x010F: "maker", 0x010E: "words"}))
    others, before = parts(path)[0], read_prompt(path)
    tags_before = tags(path)
    edited(path)
    assert parts(path)[0] == others and tags(path) == tags_before
    after = read_prompt(path)
    assert (after.prompt, after.negative) == (before.prompt, before.negative)
    assert {**before.settings, **FIELDS}.items() <= after.settings.items()
    assert label + read_blocks(path)["UserComment"].encode(codec) in parts(path)[1]
    assert list(after.settings)[-1] == "Version"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "comment",
    [None, b"UNICODE\0" + INFOTEXT.encode("utf-16-be"), b"ASCII\0\0\0holiday", bytes(64)],
    ids=["none", "infotext", "words", "zeros"],
)
def test_every_other_tag_stays_and_nothing_in_the_block_moves(tmp_path, kind, order, comment):
    path = saved(tmp_path / "a", kind, camera_block(order, comment))
    others, block = parts(path)
    tags_before = tags(path)
    assert tags_before["thumbnail"] == b"\xff\xd8thumb\xff\xd9" and ("main/34665", MAKER_NOTE) in tags_before
    edited(path)
    others_after, block_after = parts(path)
    assert others_after == others and tags(path) == tags_before
    # Only the twelve bytes of an entry or the four of a pointer differ before the end of the old block.
    changed = [index for index, (old, new) in enumerate(zip(block, block_after)) if old != new]
    assert max(changed) - min(changed) < 12 and len(block_after) > len(block)
    settings = webui_settings(read_blocks(path)["UserComment"])
    assert FIELDS.items() <= settings.items() and len(settings) >= 3
    with Image.open(path) as picture:
        picture.load()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("how", [{}, {"lossless": True}])
def test_a_simple_webp_gets_the_header_that_metadata_ask_for(tmp_path, mode, how):
    path = tmp_path / "a.webp"
    picture = small_picture(mode)
    if mode == "RGBA":
        picture.putalpha(small_picture("L"))
    picture.save(path, "WEBP", **how)
    with Image.open(path) as picture:
        before, size, decoded = picture.convert("RGBA").tobytes(), picture.size, picture.mode
    was = webp_chunks(path.read_bytes())
    chunks = webp_chunks(edited(path))
    assert [each for each in chunks if each[0] not in (b"VP8X", b"EXIF")] == [
        each for each in was if each[0] != b"VP8X"
    ]
    name, header = chunks[0]
    assert name == b"VP8X" and header[0] & 0x08
    assert (int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:], "little") + 1) == size
    with Image.open(path) as picture:
        assert picture.convert("RGBA").tobytes() == before and picture.mode == decoded
    assert FIELDS.items() <= webui_settings(read_blocks(path)["UserComment"]).items()


def test_exif_of_a_webp_stands_before_xmp_and_animations_stay(tmp_path):
    path = tmp_path / "a.webp"
    frames = [small_picture(), small_picture().rotate(180)]
    frames[0].save(
        path, "WEBP", save_all=True, append_images=frames[1:], xmp=b"<x/>", icc_profile=b"profile!"
    )
    was = webp_chunks(path.read_bytes())
    now = webp_chunks(edited(path))
    names = [name for name, _ in now]
    assert names.index(b"EXIF") == names.index(b"XMP ") - 1
    assert now[0][1][1:] == was[0][1][1:] and now[0][1][0] == was[0][1][0] | 0x08
    assert [each for each in now[1:] if each[0] != b"EXIF"] == was[1:]
    with Image.open(path) as picture:
        assert picture.n_frames == 2 and picture.info["icc_profile"] == b"profile!"


def test_a_jpeg_without_exif_gets_a_segment_behind_its_header(tmp_path):
    path = saved(tmp_path / "a.jpg", "JPEG", comment=b"remark", progressive=True)
    was, scan = jpeg_segments(path.read_bytes())
    now, scan_after = jpeg_segments(edited(path))
    assert now[0] == was[0] and now[0][0] == 0xE0
    assert now[1][0] == 0xE1 and now[2:] == was[1:] and scan_after == scan
    assert FIELDS.items() <= webui_settings(read_blocks(path)["UserComment"]).items()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS)
def test_writing_twice_gives_the_same_bytes_as_once(tmp_path, kind, order):
    infotext = b"UNICODE\0" + INFOTEXT.encode("utf-16-be")
    for exif in (
        b"",
        exif_block(infotext, order),
        camera_block(order),
        camera_block(order, infotext),
        exif_block(b"ASCII\0\0\0{}", order),
    ):
        path = saved(tmp_path / "a", kind, exif)
        original = path.read_bytes()
        edited(path)
        assert plan_edit(path, FIELDS) == ()
        again = edited(path, OTHER_FIELDS)
        path.write_bytes(original)
        plan = plan_edit(path, OTHER_FIELDS)
        assert again == apply(original, plan)
        assert apply(again, reversed_splices(plan)) == original


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        {"sui_image_params": {"prompt": "a cat, 猫", "negativeprompt": "x", "seed": 3}},
        {"prompt": "Steps: 1, Sampler: x, Seed: 4", "negative_prompt": "x", "seed": 3},
        {"c": "a cat", "uc": "", "v2": {"loras": []}},
        {},
    ],
)
def test_json_of_other_programs_gets_one_more_entry_and_stays_json(tmp_path, kind, data):
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    path = saved(tmp_path / "a", kind, exif_block(b"UNICODE\0" + text.encode("utf-16-le"), "<"))
    before = read_prompt(path)
    edited(path)
    edited(path, OTHER_FIELDS)
    found = json.loads(read_blocks(path)["UserComment"])
    assert found == {**data, "imagereward": OTHER_FIELDS}
    after = read_prompt(path)
    assert (after and after.prompt) == (before and before.prompt)


def test_a_comment_in_the_main_directory_is_edited_where_it_is(tmp_path):
    exif = Image.Exif()
    exif[COMMENT], exif[0x0131], exif[MAKER_NOTE] = INFOTEXT, "Fooocus v2.5.5", "a1111"
    path = saved(tmp_path / "a.jpg", "JPEG", exif.tobytes())
    edited(path)
    with Image.open(path) as picture:
        after = picture.getexif()
        assert (
            webui_settings(after[COMMENT].encode("latin-1", "replace").decode("utf-8", "replace"))[
                "ImageReward"
            ]
            == "-0.5312"
        )
        assert (after[0x0131], after[MAKER_NOTE]) == ("Fooocus v2.5.5", "a1111")
        assert not after.get_ifd(0x8769)


def test_a_webp_saved_by_the_nodes_is_brought_up_to_date(tmp_path):
    exif = Image.Exif()
    old = json.dumps({"version": 1, "scores": [{"scorer": "demo", "score": 0.1}]})
    exif[0x0110], exif[0x010F] = "prompt:{}", f"imagereward:{old}"
    exif[0x8769] = {COMMENT: b"UNICODE\0" + "ImageRewardDemo: 0.1000".encode("utf-16-be")}
    path = saved(tmp_path / "a.webp", "WEBP", exif.tobytes())
    new = json.dumps({"version": 1, "scores": [{"scorer": "demo", "score": 0.75}]})
    edited(path, {"ImageRewardDemo": "0.7500"}, new)
    with Image.open(path) as picture:
        after = picture.getexif()
        assert (after[0x0110], after[0x010F]) == ("prompt:{}", f"imagereward:{new}")
    settings = webui_settings(read_blocks(path)["UserComment"])
    assert (
        settings["ImageRewardDemo"] == "0.7500"
        and read_blocks(path)["UserComment"].count("ImageRewardDemo:") == 1
    )
    assert plan_edit(path, {"ImageRewardDemo": "0.7500"}, new) == ()


@pytest.mark.parametrize(
    ("exif", "words"),
    [
        (b"Exif\0\0XX\0*\0\0\0\x08", "begins with"),
        (b"Exif\0\0MM\0*\0\0\xff\xff", "offset"),
        (b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", "reaches past"),
        (b"Exif\0\0MM\0*\0\0\0\x08\0\1\x92\x86\0\7\0\xff\xff\xff\0\0\0\0\0\0\0\0", "reaches past"),
        (exif_block(b"UNICODE\0" + b"\xd8\x00\xd8\x00" * 8), "encoding"),
    ],
)
def test_damaged_exif_is_refused_and_the_file_named(tmp_path, exif, words):
    path = saved(tmp_path / "a.jpg", "JPEG", exif)
    with pytest.raises(ImageError, match=words) as caught:
        plan_edit(path, FIELDS)
    assert "a.jpg" in str(caught.value) and "XMP" in str(caught.value)


def test_what_does_not_fit_or_would_break_is_refused(tmp_path):
    full = saved(tmp_path / "full.jpg", "JPEG", exif_block(b"ASCII\0\0\0" + b"x" * 65400))
    with pytest.raises(ImageError, match="65535"):
        plan_edit(full, FIELDS)
    plain = saved(tmp_path / "plain.jpg", "JPEG")
    data = plain.read_bytes()
    for marker, body, words in (
        (0xE2, b"MPF\0II*\0", "several pictures"),
        (0xEB, b"JP\0\1\0\0\0\1....jumb", "credentials"),
    ):
        plain.write_bytes(
            data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]
        )
        with pytest.raises(ImageError, match=words):
            plan_edit(plain, FIELDS)
    plain.write_bytes(data[:200])
    with pytest.raises(ImageError, match="damaged"):
        plan_edit(plain, FIELDS)


@pytest.mark.parametrize("name", ["a.avif", "a.gif", "a.bmp", "a.tiff", "empty.png", "missing.png"])
def test_other_formats_are_refused_and_point_to_the_sidecar(tmp_path, name):
    path = tmp_path / name
    if name == "a.avif":
        path.write_bytes(b"\0\0\0\x20ftypavif" + bytes(40))
    elif name == "empty.png":
        path.touch()
    elif name != "missing.png":
        small_picture().save(path)
    with pytest.raises(ImageError, match="XMP|cannot be read"):
        plan_edit(path, FIELDS)
    assert not (path.exists() and editable_format(path))


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)"
)
def test_exiftool_reads_every_edited_file_without_a_new_warning(tmp_path):
    def told(path):
        done = subprocess.run(
            ["exiftool", "-json", "-validate", "-a", "-G1", "-all", str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        (found,) = json.loads(done.stdout)
        return found

    for number, (kind, exif) in enumerate(
        [
            (kind, exif)
            for kind in KINDS
            for exif in (
                b"",
                camera_block("<"),
                camera_block(">", b"UNICODE\0" + INFOTEXT.encode("utf-16-be")),
            )
        ]
    ):
        path = saved(tmp_path / f"{number}.{kind.lower()}", kind, exif)
        before = told(path)
        edited(path)
        after = told(path)
        warnings = [text for key, text in after.items() if "Warning" in key]
        assert not [
            text for text in warnings if "Missing required" not in str(text) and text not in before.values()
        ]
        assert "ImageReward: -0.5312" in after["ExifIFD:UserComment"]
        same = [
            key
            for key in before
            if key.split(":")[0] in ("IFD0", "IFD1", "GPS", "ExifIFD") and "UserComment" not in key
        ]
        assert [after[key] for key in same if "Offset" not in key] == [
            before[key] for key in same if "Offset" not in key
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_comment_calls_ours_goes_only_where_it_can_be(tmp_path, kind):
    """The list comes with the file, perhaps from a stranger, and names what other programs keep."""
    said = INFOTEXT + ", blend_old: 1.0, Ratings: Seed Sampler blend_old, Rated by: ImageReward Curator"
    path = saved(tmp_path / "a", kind, exif_block(b"UNICODE\0" + said.encode("utf-16-be"), ">", {}))
    before = read_prompt(path).settings
    edited(path)
    after = read_prompt(path).settings
    assert (after["Seed"], after["Sampler"]) == (before["Seed"], before["Sampler"])
    assert "blend_old" not in after and FIELDS.items() <= after.items()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.gif", "a GIF file"),
        ("a.bmp", "a BMP file"),
        ("a.tif", "a TIFF file"),
        ("a.ppm", "a PPM or PGM file"),
        ("a.ico", "a file that begins with '"),
    ],
)
def test_a_format_that_takes_no_scores_is_named(name, kind, tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / name)
    with pytest.raises(ImageError, match=f"into {kind}.*expected PNG, JPEG or WebP. .*XMP file beside"):
        plan_edit(tmp_path / name, {"Reward": "0.5"})
