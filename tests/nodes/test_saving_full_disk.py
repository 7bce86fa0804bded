"""Save Scored Images on a disk that fills up: what is saved is whole, and the error says what and where."""

from __future__ import annotations

import errno
import os

import pytest
import torch
from PIL import Image

from tests.support.full_disk import small_disk


def noise(number: int) -> torch.Tensor:
    return torch.rand(number, 64, 64, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.skipif(os.name == "nt", reason="a disk of its own is mounted")
@pytest.mark.parametrize("kind", ["png", "webp (lossless)"])
def test_on_a_really_full_disk_every_file_there_is_whole(fake, tmp_path, kind):
    files = fake.module("nodes.files")
    with small_disk(tmp_path / "disk", 40 * 1024) as disk:
        writer = files.Writer(str(disk), kind, 90)
        saved = 0
        with pytest.raises(fake.module("nodes.host.errors").GraphError) as caught:
            for picture in noise(20):
                writer.save(picture, "batch/picture", None, {})
                saved += 1
        assert 0 < saved < 20
        assert f"{saved} pictures of this batch were saved" in str(caught.value)
        assert f"picture_{saved + 1:05}" in str(caught.value) and "No space left" in str(caught.value)
        there = sorted((disk / "batch").iterdir())
        assert len(there) == saved
        for path in there:
            with Image.open(path) as image:
                image.load()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_folder_that_cannot_be_made_is_named(fake, tmp_path, monkeypatch, number):
    files = fake.module("nodes.files")

    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(files.Path, "mkdir", refuse)
    with pytest.raises(fake.module("nodes.host.errors").GraphError, match="new.*cannot be written"):
        files.Writer(str(tmp_path), "png", 90).save(noise(1)[0], "new/picture", None, {})
