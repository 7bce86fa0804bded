"""What the system refuses is a sentence that names the file and says what to do, at whichever command it happens."""

from __future__ import annotations

import errno
import os

import pytest

from imagereward_core.cli.main import main
from imagereward_core.cli.refused import sentence, why_no_folder
from imagereward_core.files.regular import NotAFileError


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOENT, "there is no such file"),
        (errno.ENOSPC, "the disk is full; free some room"),
        (errno.EDQUOT, "the disk is full; free some room"),
        (errno.EROFS, "can only be read; name a place"),
        (errno.EACCES, "check its permissions"),
        (errno.ENOTDIR, "a part of this path is a file"),
    ],
)
def test_the_reason_is_in_words_and_names_the_file(code, said):
    told = sentence(OSError(code, os.strerror(code), "some/results.csv"))
    assert told.startswith("some/results.csv: ") and said in told and "Errno" not in told


def test_what_has_no_better_words_is_told_as_the_system_says_it():
    assert sentence(OSError(errno.EXDEV, "Cross-device link", "x")) == "x: Cross-device link"
    found = NotAFileError(errno.EINVAL, "found a pipe; expected a file", "x")
    assert sentence(found) == "x: found a pipe; expected a file"
    assert "the disk is full" in sentence(OSError(errno.ENOSPC, "No space left on device"))
    assert sentence(OSError("odd")) == "odd"


def test_why_a_folder_takes_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert why_no_folder(tmp_path / "new" / "deeper") == ""
    assert why_no_folder(tmp_path / "file") == why_no_folder(tmp_path / "file" / "x") != ""
    assert why_no_folder(tmp_path / ("x" * 5000))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert why_no_folder(tmp_path / "new") == f"nothing may be put into {tmp_path}"


@pytest.mark.parametrize("option", ["--table", "--benchmark"])
@pytest.mark.parametrize("name, code", [("none.csv", 2), ("a", 4)])
def test_a_file_that_is_not_there_is_told_without_the_systems_number(tmp_path, capsys, option, name, code):
    for each in "ab":
        (tmp_path / each).mkdir()
    folders = [str(tmp_path / each) for each in "ab"]
    assert main(["compare-models", *folders, option, str(tmp_path / name)]) == code
    told = capsys.readouterr().err
    assert str(tmp_path / name) in told and "Errno" not in told
    assert "Check the path" in told or "found a folder; expected a file" in told
