"""A store may come along with a folder, from anybody: what no version of ours makes is refused, and nothing else is changed by a look."""

from __future__ import annotations

import ntpath
import os
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path, PureWindowsPath

import pytest

from imagereward_core.files import values
from imagereward_core.files.sqlite import StoreError
from imagereward_core.files.values import StrangeValueError, file_from, folder_from
from imagereward_core.library.journal import Journal, open_journal
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.records import Query
from tests.support.library.stores import KEY, ROOT, Stored, store

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes need other rights there")
OPENERS = (Library.open, Library.look, open_journal, Journal.look)


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kept_out(opener, place, match):
    with pytest.raises(StoreError, match=match):
        opener(place).close()


@posix
@pytest.mark.parametrize("opener", OPENERS)
def test_a_store_that_is_a_link_is_not_followed(opener, tmp_path):
    """It would be somebody's own, whose steps would be taken for those of this folder."""
    mine, folder = tmp_path / "mine", tmp_path / "brought"
    folder.mkdir()
    Library.open(mine / ".imagereward").close()
    open_journal(mine / ".imagereward").close()
    (folder / ".imagereward").symlink_to(mine / ".imagereward", target_is_directory=True)
    before = everything(mine)
    kept_out(opener, folder / ".imagereward", "is a link to .*mine.*--store")
    assert everything(mine) == before
    opener(mine / ".imagereward").close()


@posix
def test_a_folder_that_is_a_link_has_its_store_in_it(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    Library.open(tmp_path / "link" / ".imagereward").close()
    open_journal(tmp_path / "link" / ".imagereward").close()
    assert (tmp_path / "real" / ".imagereward" / FILE_NAME).is_file()


@posix
@pytest.mark.parametrize("opener", [Library.open, Journal.look])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_what_is_no_file_in_its_place_or_beside_it_is_refused(opener, suffix, kind, tmp_path):
    """SQLite writes through a link, and waits for a pipe."""
    place, outside = tmp_path / "brought" / ".imagereward", tmp_path / "outside"
    outside.mkdir()
    name, make = (FILE_NAME, Library.open) if opener == Library.open else ("journal.sqlite3", open_journal)
    make(place).close()
    (place / name).replace(outside / "mine")
    (place / name).write_bytes((outside / "mine").read_bytes())
    thing = place / (name + suffix)
    thing.unlink(missing_ok=True)
    if kind.endswith("link"):
        thing.symlink_to(outside / ("mine" if kind == "link" else "new"))
    else:
        (os.mkfifo if kind == "pipe" else Path.mkdir)(thing)
    before = everything(outside)
    kept_out(opener, place, f"is a {kind.split()[-1]}.*--store")
    assert everything(outside) == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON files BEGIN UPDATE files SET name = 'x'; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
    ],
)
def test_a_library_that_does_things_by_itself_is_refused(statement, tmp_path):
    Library.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no such tables")
        connection.commit()
    for opener in (Library.open, Library.look):
        kept_out(opener, tmp_path, "which this program never makes.*Move the file away")


def test_a_library_of_an_earlier_day_with_another_index_is_opened(tmp_path):
    """Indexes of libraries were changed once without a new version."""
    Library.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("DROP INDEX files_by_prompt")
        connection.execute("CREATE INDEX files_by_prompt ON files(prompt) WHERE gone = 0")
        connection.execute("ANALYZE")
        connection.commit()
    Library.open(tmp_path).close()


def test_a_version_below_none_is_refused(tmp_path):
    Library.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version = -1")
    kept_out(Library.open, tmp_path, "version -1, which none is")


def test_a_file_of_another_program_is_not_turned_to_our_way_of_writing(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = (tmp_path / FILE_NAME).read_bytes()
    kept_out(Library.open, tmp_path, "another program")
    assert (tmp_path / FILE_NAME).read_bytes() == before


# Rows that lead elsewhere.


@pytest.fixture
def stored(library):
    store(library, [Stored("day", f"{number}.png", "a star", 1, 0.5) for number in range(3)])
    return library


def rewrite(library, statement, *parameters):
    with library.database.writing() as connection:
        connection.execute(statement, parameters)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE files SET name = ? WHERE id = 2", "../../secret.png"),
        ("UPDATE files SET name = ? WHERE id = 2", "/etc/secret.png"),
        ("UPDATE files SET name = ? WHERE id = 2", ".."),
        ("UPDATE files SET name = ? WHERE id = 2", ""),
        ("UPDATE files SET name = ? WHERE id = 2", "a\x00.png"),
        ("UPDATE files SET name = ? WHERE id = 2", 7),
        ("UPDATE folders SET path = ? WHERE path LIKE '%day'", "secrets"),
        ("UPDATE folders SET path = ? WHERE path LIKE '%day'", f"{ROOT}/../secrets"),
        ("UPDATE folders SET path = ? WHERE path LIKE '%day'", "/secrets"),
        ("UPDATE folders SET path = ? WHERE path LIKE '%day'", b"/secrets\xff"),
        ("UPDATE folders SET path = ? WHERE path LIKE '%day'", 7.5),
        ("UPDATE files SET loras = ? WHERE id = 2", 999),
        ("INSERT INTO texts VALUES (999, 1, ?)", "[" * 100_000),
    ],
)
def test_rows_that_lead_out_of_their_folder_are_refused(statement, value, stored):
    rewrite(stored, statement, value)
    if statement.startswith("INSERT"):
        rewrite(stored, "UPDATE files SET loras = 999 WHERE id = 2")
    with pytest.raises(StoreError, match="no version of this program writes.*Move the file away"):
        list(stored.rows(Query(key=KEY, folder=ROOT)))


@posix
def test_rows_of_another_system_are_shown_and_are_of_no_folder_here(stored):
    """A disk may be used with two systems, and so may the store on it."""
    day = PureWindowsPath("E:\\pictures\\day: one")
    rewrite(stored, "INSERT INTO folders VALUES (99, NULL, ?)", str(day))
    rewrite(stored, "UPDATE files SET folder = 99 WHERE id = 3")
    rewrite(stored, "UPDATE ranking SET folder = 99 WHERE file = 3")
    rows = list(stored.rows(Query(key=KEY)))
    assert [row.path for row in rows if str(day) in str(row.path)] == [Path(f"{day}/2.png")]
    assert len(list(stored.rows(Query(key=KEY, folder=ROOT)))) == 3 - 1


@pytest.mark.parametrize(
    "path",
    ["C:\\", "C:\\a b\\ü", "\\\\server\\share\\", "\\\\server\\share\\a", "\\\\?\\C:\\long", "/", "/a b/c\\d", "//a"],
)  # fmt: skip
def test_paths_as_either_system_writes_them_are_read(path):
    assert str(folder_from(path)) in (path, path.replace("/", "\\"))


@pytest.mark.parametrize(
    "path", ["a", "C:a", "\\a", "C:\\a\\..\\b", "C:\\a\\", "C:/a", "/a/", "/a/../b", "/a//b", ""]
)
def test_paths_as_neither_writes_them_are_not(path):
    with pytest.raises(StrangeValueError):
        folder_from(path)


def test_on_windows_case_and_the_root_of_a_drive_make_no_difference(monkeypatch):
    monkeypatch.setattr(values.os, "path", ntpath)
    monkeypatch.setattr(values.os, "sep", "\\")
    for path, folder in (
        ("c:\\Pictures\\Ü", "C:\\pictures"), ("C:\\pictures", "C:\\"), ("\\\\Server\\share\\a", "\\\\server\\share\\"),
    ):  # fmt: skip
        values.check_below(PureWindowsPath(path), PureWindowsPath(folder))
    with pytest.raises(StrangeValueError):
        values.check_below(PureWindowsPath("C:\\pictures2"), PureWindowsPath("C:\\pictures"))
    assert str(file_from(PureWindowsPath("C:\\a"), "b c.png")) == "C:\\a\\b c.png"
    for name in ("..\\b.png", "a/b.png", "D:b.png", "\\b.png", "C:\\b.png"):
        with pytest.raises(StrangeValueError):
            file_from(PureWindowsPath("C:\\a"), name)


@posix
@pytest.mark.parametrize("name", ["a\\b.png", "12:30.png", "C:b.png", " x .png", "...png"])
def test_names_that_are_names_here_are_read(name):
    assert file_from(Path("/a"), name) == Path("/a") / name


def test_a_step_larger_than_any_of_ours_is_not_read_into_memory(tmp_path):
    with open_journal(tmp_path) as journal:
        with journal._database.writing() as connection:
            connection.execute(
                "INSERT INTO runs (id, begun, title, base, anchor, device, inode) VALUES (1, '', '', 'none', '', '', '')"
            )
            connection.execute(
                "INSERT INTO steps (run, kind, source, target, made, state, content) "
                "VALUES (1, 'put', '/a.txt', '/a.txt', '/a.txt', 'done', zeroblob(?))",
                (65 * 1024 * 1024,),
            )
        tracemalloc.start()
        (record,) = journal.records("run = ?", (1,))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert record.flaw == "holds more than a step of ours can" and peak < 1_000_000
