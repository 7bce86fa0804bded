"""A file is there whole or not at all, and nothing else is touched on the way."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from imagereward_core.files.whole import written_whole
from imagereward_core.scorers.blend import BlendError
from imagereward_core.scorers.blend_file import BlendFile, parse_blend
from imagereward_core.weights.manifest import write_manifest
from tests.support.full_disk import fill, small_disk

unix = pytest.mark.skipif(os.name == "nt", reason="links and modes of a Unix system")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_an_error_names_the_file_that_was_wanted_and_leaves_the_earlier_one(tmp_path, number):
    (tmp_path / "wanted").write_text("earlier")
    with pytest.raises(OSError, match="wanted") as caught, written_whole(tmp_path / "wanted") as place:
        place.write_text("half")
        raise OSError(number, os.strerror(number))
    assert caught.value.errno == number
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"wanted"}
    assert (tmp_path / "wanted").read_text() == "earlier"


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"), written_whole(tmp_path / "wanted"):
        (tmp_path / "elsewhere").read_bytes()


@unix
def test_a_full_disk_keeps_the_earlier_file(tmp_path):
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        (disk / "wanted").write_text("earlier")
        fill(disk)
        with pytest.raises(OSError, match="wanted"), written_whole(disk / "wanted") as place:
            place.write_bytes(bytes(100_000))
        assert {path.name for path in disk.iterdir()} == {"wanted", "filler"}
        assert (disk / "wanted").read_text() == "earlier"


@unix
def test_blends_survive_a_full_disk_and_no_half_copy_stays(tmp_path):
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        file = BlendFile(disk)
        file.save(parse_blend("CLIP=1,BLIP=1", "mine"))
        before = file.path.read_bytes()
        fill(disk)
        with pytest.raises(BlendError, match="blends"):
            file.save(parse_blend("CLIP=2,BLIP=1", "mine"), replace=True)
        assert file.path.read_bytes() == before and not list(disk.glob("*backup*"))


@unix
@pytest.mark.parametrize("write", ["manifest", "blend"])
def test_a_planted_link_is_not_written_through(tmp_path, write):
    """A folder from a stranger may hold links under every name that can be guessed."""
    victim, models = tmp_path / "victim", tmp_path / "models"
    victim.write_text("mine")
    models.mkdir()
    (models / "a.pt").write_bytes(b"weights")
    for name in ("a.pt.json", "blends.json"):
        (models / f".{name}.{os.getpid()}.tmp").symlink_to(victim)
    if write == "manifest":
        assert write_manifest(models / "a.pt", "0" * 64)
    else:
        BlendFile(models).save(parse_blend("CLIP=1,BLIP=1", "mine"))
    assert victim.read_text() == "mine"


@unix
def test_permissions_of_the_earlier_file_stay(tmp_path):
    file = BlendFile(tmp_path)
    file.save(parse_blend("CLIP=1,BLIP=1", "one"))
    file.path.chmod(0o600)
    file.save(parse_blend("CLIP=1,BLIP=1", "two"))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
