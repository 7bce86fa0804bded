"""The library's file: made, migrated, shared between processes, and refused with reasons."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from imagereward_core.files import sqlite as databases
from imagereward_core.files.sqlite import Database, StoreError
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.schema import APPLICATION_ID, MIGRATIONS

ROOT = Path(__file__).resolve().parents[2]


def test_a_library_is_made_where_there_is_none_and_opened_where_there_is_one(tmp_path):
    for _ in range(2):
        with Library.open(tmp_path / "new folder, 写真") as library:
            assert library.keys() == []
    with sqlite3.connect(tmp_path / "new folder, 写真" / FILE_NAME) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_file_of_an_older_version_is_brought_up_to_date_with_its_rows(tmp_path):
    path = tmp_path / "a.sqlite3"

    def second(connection):
        connection.execute("ALTER TABLE first ADD COLUMN more DEFAULT 7")

    one = (lambda connection: connection.execute("CREATE TABLE first (x)"),)
    older = Database(path, application=APPLICATION_ID, migrations=one)
    with older.writing() as connection:
        connection.execute("INSERT INTO first VALUES (1)")
    older.close()
    newer = Database(path, application=APPLICATION_ID, migrations=(*one, second))
    with newer.reading() as connection:
        assert connection.execute("SELECT * FROM first").fetchall() == [(1, 7)]
    newer.close()
    with pytest.raises(StoreError, match=r"version 2; expected at most 1.*newer version.*update"):
        Database(path, application=APPLICATION_ID, migrations=one)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.sqlite3"
    one = (lambda connection: connection.execute("CREATE TABLE first (x)"),)
    Database(path, application=APPLICATION_ID, migrations=one).close()

    def failing(connection):
        connection.execute("DROP TABLE first")
        connection.execute("this is no SQL")

    with pytest.raises(StoreError):
        Database(path, application=APPLICATION_ID, migrations=(*one, failing))
    again = Database(path, application=APPLICATION_ID, migrations=one)
    with again.reading() as connection:
        assert connection.execute("SELECT count(*) FROM first").fetchone() == (0,)
    again.close()


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Library.open(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM theirs").fetchone() == (0,)
    assert len(before) == path.stat().st_size


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="move the file away"):
        Library.open(tmp_path)


def test_a_file_damaged_while_it_is_open_says_so(tmp_path):
    with Library.open(tmp_path) as library:
        with library.database.writing() as connection:
            connection.executemany(
                "INSERT INTO texts VALUES (?, 0, ?)", [(n, "x" * 3000) for n in range(1, 300)]
            )
        library.database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path = tmp_path / FILE_NAME
        data = path.read_bytes()
        path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
        with pytest.raises(StoreError, match="cannot be read"), library.database.reading() as connection:
            connection.execute("SELECT sum(length(text)) FROM texts").fetchall()


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="Name another place.*--store"):
        Library.open(tmp_path / "file" / "store")


def test_a_block_that_raises_writes_nothing(tmp_path):
    with Library.open(tmp_path) as library:
        with pytest.raises(KeyError), library.database.writing() as connection:
            connection.execute("INSERT INTO texts VALUES (5, 5, 'five')")
            raise KeyError
        with library.database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM texts").fetchone() == (1,)


def test_a_closed_library_says_so(tmp_path):
    library = Library.open(tmp_path)
    library.close()
    with pytest.raises(StoreError, match="closed"):
        library.keys()
    with pytest.raises(StoreError, match="closed"):
        library.set_stars("00", 1)


def test_reading_never_waits_for_a_write(tmp_path):
    with Library.open(tmp_path) as library, library.database.writing() as connection:
        connection.execute("INSERT INTO texts VALUES (5, 5, 'five')")
        counts = []
        with library.database.reading() as other:
            counts.append(other.execute("SELECT count(*) FROM texts").fetchone()[0])
        assert counts == [1]


ADD = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from imagereward_core.library.library import Library
with Library.open(Path(sys.argv[1])) as library:
    for _ in range(60):
        with library.database.writing() as connection:
            (last,) = connection.execute("SELECT coalesce(max(hash), 0) FROM texts").fetchone()
            connection.execute("INSERT INTO texts (hash, text) VALUES (?, 'x')", (last + 1,))
"""


def test_processes_that_make_and_write_one_library_at_once_wait_for_each_other(tmp_path):
    code = ADD.format(root=str(ROOT))
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    with Library.open(tmp_path) as library, library.database.reading() as connection:
        numbers = [number for (number,) in connection.execute("SELECT hash FROM texts ORDER BY hash")]
    assert numbers == list(range(181))


def test_threads_share_one_library(tmp_path):
    with Library.open(tmp_path) as library:

        def add(first):
            for number in range(50):
                with library.database.writing() as connection:
                    connection.execute("INSERT INTO texts (hash, text) VALUES (?, 'x')", (first + number,))
                library.keys()

        threads = [threading.Thread(target=add, args=(1000 * n,)) for n in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with library.database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM texts").fetchone() == (201,)


def test_a_writer_that_holds_too_long_is_an_error_with_words(tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.05)
    with Library.open(tmp_path) as one, Library.open(tmp_path) as other, one.database.writing() as connection:
        connection.execute("INSERT INTO texts VALUES (5, 5, 'five')")
        with pytest.raises(StoreError, match="locked.*no other program"), other.database.writing():
            pass
