"""Images of a data set by name: files, members of archives, cells of tables; nothing outside the folder."""

from __future__ import annotations

import io
import pickle
import zipfile

import pytest
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_lab.data.images import ImageSource


def png(color="red"):
    stream = io.BytesIO()
    Image.new("RGB", (4, 3), color).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "images"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.png").write_bytes(png())
    (root / "empty.png").write_bytes(b"")
    with zipfile.ZipFile(root / "more.zip", "w") as archive:
        archive.writestr("in/b.png", png("blue"))
    (tmp_path / "secret.png").write_bytes(png())
    return ImageSource(root)


def test_files_and_members_of_archives_are_read_in_place(source):
    assert source.open("sub/a.png").getpixel((0, 0)) == (255, 0, 0)
    assert source.open("sub\\a.png").size == (4, 3)
    assert source.open("more.zip#in/b.png").getpixel((0, 0)) == (0, 0, 255)
    assert source.read("sub/a.png") == png()
    assert source.size("sub/a.png") == len(png()) and source.size("none.png") == -1
    assert pickle.loads(pickle.dumps(source)).open("sub/a.png").size == (4, 3)  # noqa: S301


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "sub/../../secret.png",
        "..\\secret.png",
        "/etc/passwd",
        "C:\\a.png",
        "",
        ".",
        "a\0.png",
    ]
    + ["https://example.org/a.png", "../x.zip#a.png", "link.png", "linked/secret.png"],
)
def test_no_name_leads_out_of_the_folder(source, tmp_path, name):
    try:
        (source.root / "link.png").symlink_to(tmp_path / "secret.png")
        (source.root / "linked").symlink_to(tmp_path)
    except OSError:
        pass
    for read in (source.open, source.read):
        with pytest.raises(ImageError):
            read(name)
    assert source.size(name) == -1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.png", "0 bytes"),
        ("none.png", "no such file"),
        ("sub", "a folder"),
        ("more.zip#none.png", "no such file"),
        ("sub/a.png.zip#a", "no such file"),
    ],
)
def test_what_cannot_be_read_says_why(source, name, said):
    with pytest.raises(ImageError, match=said):
        source.open(name)


def test_parquet_cells_are_read_by_row(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    colors = ["red", "lime", "blue", "white", "black"]
    table = pa.table(
        {
            "jpg_0": [png(color) for color in colors],
            "image": [{"bytes": png(color), "path": "x"} for color in colors],
            "none": [None, *"abcd"],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    for most in (2**28, 1):  # kept whole, and read on to the row
        monkeypatch.setattr("imagereward_lab.data.images.packed._CACHED_BYTES", most)
        source = ImageSource(tmp_path)
        for column in ("jpg_0", "image"):
            for row, color in enumerate(colors):
                expected = Image.new("RGB", (1, 1), color).getpixel((0, 0))
                assert source.open(f"t.parquet#{row}/{column}").getpixel((0, 0)) == expected
        for wrong in ("5/jpg_0", "0/other", "x/jpg_0", "0/none", "-1/jpg_0"):
            with pytest.raises(ImageError):
                source.open(f"t.parquet#{wrong}")


def test_links_of_the_hugging_face_cache_are_followed_to_its_blobs_and_nowhere_else(tmp_path):
    snapshot = tmp_path / "datasets--x" / "snapshots" / "abc"
    (snapshot / "images").mkdir(parents=True)
    (tmp_path / "datasets--x" / "blobs").mkdir()
    (tmp_path / "datasets--x" / "blobs" / "1234").write_bytes(png())
    (tmp_path / "datasets--x" / "secret").write_bytes(png())
    try:
        (snapshot / "images" / "a.png").symlink_to("../../../blobs/1234")
        (snapshot / "images" / "b.png").symlink_to("../../../secret")
    except OSError:
        pytest.skip("no links here")
    for root, inside in ((snapshot, "images/"), (snapshot / "images", "")):
        assert ImageSource(root).open(f"{inside}a.png").size == (4, 3)
        with pytest.raises(ImageError, match="leads out"):
            ImageSource(root).open(f"{inside}b.png")
