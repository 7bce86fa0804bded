"""Work goes on where it broke off, other work is not touched, and nothing of anybody else's is written over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imagereward_lab.prompts.errors import SelectionError
from imagereward_lab.prompts.vectors import work as module
from imagereward_lab.prompts.vectors.work import MARK, open_work

ROWS = np.arange(40, dtype=np.float32).reshape(10, 4)


class Maker:
    """Gives rows two at a time, and breaks off before some row."""

    def __init__(self, stop: int = 99) -> None:
        self.stop, self.begins, self.made = stop, [], 0

    def __call__(self, begin: int) -> Iterator[np.ndarray]:
        self.begins.append(begin)
        for start in range(begin, 10, 2):
            if start >= self.stop:
                raise KeyboardInterrupt
            self.made += 1
            yield ROWS[start : start + 2]


def rows(folder: Path, make: Maker, facts: dict | None = None) -> np.ndarray:
    with open_work(folder) as work:
        return np.array(work.rows("vectors", facts or {"model": "x"}, (10, 4), "<f4", make))


def test_rows_that_were_written_are_not_made_again(tmp_path: Path) -> None:
    first, second, third = Maker(stop=6), Maker(), Maker()
    with pytest.raises(KeyboardInterrupt):
        rows(tmp_path, first)
    assert np.array_equal(rows(tmp_path, second), ROWS) and second.begins == [6] and second.made == 2
    assert np.array_equal(rows(tmp_path, third), ROWS) and third.begins == []
    assert np.array_equal(np.load(next(tmp_path.glob("vectors-*.npy"))), ROWS)


def test_after_a_kill_only_what_the_note_vouches_for_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of a process that was killed is older than its file, whose end may be anything."""
    with pytest.raises(KeyboardInterrupt):
        rows(tmp_path, Maker(stop=4))
    (file,) = tmp_path.glob("vectors-*.npy")
    with file.open("ab") as stream:
        stream.write(b"\xff" * 77)
    again = Maker()
    assert np.array_equal(rows(tmp_path, again), ROWS) and again.begins == [4]
    assert np.array_equal(np.load(file), ROWS)


def test_notes_are_made_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", -1.0)
    seen = []

    def make(begin: int) -> Iterator[np.ndarray]:
        for start in range(begin, 10, 2):
            yield ROWS[start : start + 2]
            seen.extend(path.read_text().count('"done"') for path in tmp_path.glob("vectors-*.json"))

    with open_work(tmp_path) as work:
        work.rows("vectors", {}, (10, 4), "<f4", make)
    assert seen == [1] * 5


@pytest.mark.parametrize("harm", ["cut", "note", "other", "damaged"])
def test_a_file_that_is_not_what_its_note_says_is_made_anew(harm: str, tmp_path: Path) -> None:
    rows(tmp_path, Maker())
    (file,), (note,) = tmp_path.glob("vectors-*.npy"), tmp_path.glob("vectors-*.json")
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    elif harm == "damaged":
        data = bytearray(file.read_bytes())
        data[-50] ^= 1
        file.write_bytes(data)
    elif harm == "note":
        note.write_text("{")
    else:
        note.write_text(note.read_text().replace('"x"', '"y"'))
    again = Maker()
    assert np.array_equal(rows(tmp_path, again), ROWS) and again.begins == [0]


def test_notes_of_versions_that_knew_no_checksum_count(tmp_path: Path) -> None:
    rows(tmp_path, Maker())
    (note,) = tmp_path.glob("vectors-*.json")
    facts = json.loads(note.read_text())
    del facts["crc32"]
    note.write_text(json.dumps({**facts, "done": 6}))
    again = Maker()
    assert np.array_equal(rows(tmp_path, again), ROWS) and again.begins == [6]
    kept = Maker()
    assert np.array_equal(rows(tmp_path, kept), ROWS) and kept.begins == []


def test_other_facts_are_another_file(tmp_path: Path) -> None:
    rows(tmp_path, Maker())
    other = Maker()
    rows(tmp_path, other, {"model": "y"})
    assert other.begins == [0] and len(list(tmp_path.glob("vectors-*.npy"))) == 2
    kept = Maker()
    rows(tmp_path, kept)
    assert kept.begins == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with (
        pytest.raises(SelectionError, match="no folder of such work.*--work another name"),
        open_work(tmp_path),
    ):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(SelectionError, match="no folder of such work"), open_work(tmp_path / "mine.txt"):
        pass
    (tmp_path / MARK).write_text("{}")
    with pytest.raises(SelectionError, match="not what this version writes"), open_work(tmp_path):
        pass


def test_two_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with (
        open_work(tmp_path / "work"),
        pytest.raises(SelectionError, match="another process works in"),
        open_work(tmp_path / "work"),
    ):
        pass


def test_a_full_disk_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=100))
    make = Maker()
    with pytest.raises(SelectionError, match=r"0\.0 GB free.*--work"):
        rows(tmp_path, make)
    assert make.begins == [] and not list(tmp_path.glob("vectors-*"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SelectionError, match="cannot be written"), open_work(tmp_path / "file" / "work"):
        pass
