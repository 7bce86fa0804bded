"""The store: its tables are those that queries see, newer and foreign ones are refused, passwords are not kept."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import inspect, select, text

from imagereward_lab.annotation.project.folder import without_password
from imagereward_lab.annotation.store.database import Database, StoreError, database_url, sqlite_url
from imagereward_lab.annotation.store.migrations import MIGRATIONS, migrate
from imagereward_lab.annotation.store.tables import METADATA, PROJECT
from tests.support.lab.annotation import make_project, open_service
from tests.support.lab.postgres import database, postgres  # noqa: F401


def test_the_migrations_make_the_tables_that_queries_see(tmp_path, database):  # noqa: F811
    service = open_service(make_project(tmp_path, database=database))
    found = inspect(service.project.database.engine)
    assert set(found.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        assert {column["name"] for column in found.get_columns(name)} == {
            column.name for column in table.columns
        }, name
    service.close()


def test_an_older_store_is_brought_up_to_date_once_and_keeps_what_it_holds(tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite3")
    opened = Database(url, create=True)
    opened.write(lambda c: c.execute(PROJECT.insert().values(key="settings", value="{}")))

    def second(connection):
        connection.execute(text("ALTER TABLE people ADD COLUMN colour TEXT"))

    steps = (*MIGRATIONS, second)
    assert [opened.write(lambda c: migrate(c, steps)) for _ in range(2)] == [len(MIGRATIONS), len(steps)]
    columns = {each["name"] for each in inspect(opened.engine).get_columns("people")}
    assert "colour" in columns
    assert (
        opened.read(lambda c: c.execute(select(PROJECT.c.value).where(PROJECT.c.key == "settings")).scalar())
        == "{}"
    )
    opened.close()
    with pytest.raises(StoreError, match="newer version of this program"):
        Database(url)


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path):
    opened = Database(sqlite_url(tmp_path / "store.sqlite3"), create=True)

    def broken(connection):
        connection.execute(text("ALTER TABLE people ADD COLUMN colour TEXT"))
        raise ValueError("no")

    with pytest.raises(ValueError):
        opened.write(lambda c: migrate(c, (*MIGRATIONS, broken)))
    assert "colour" not in {each["name"] for each in inspect(opened.engine).get_columns("people")}
    assert opened.write(migrate) == len(MIGRATIONS)
    opened.close()


def test_files_of_other_programs_are_left_alone(tmp_path):
    path = tmp_path / "other.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="of another program"):
        Database(sqlite_url(path), create=True)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    assert before[:100] and path.exists()
    with pytest.raises(StoreError, match="no such file"):
        Database(sqlite_url(tmp_path / "missing.sqlite3"))
    assert not (tmp_path / "missing.sqlite3").exists()


def test_a_password_is_neither_kept_nor_shown():
    kept, had = without_password("postgresql://ann:secret@host:5433/foxes?sslmode=require")
    assert had and "secret" not in kept and kept.endswith("ann@host:5433/foxes?sslmode=require")
    assert without_password(kept) == (kept, False)
    for wrong in ("mysql://x/y", "nothing"):
        with pytest.raises(StoreError, match="expected one such as postgresql://"):
            database_url(wrong)


def test_a_second_project_is_not_put_into_a_database_that_holds_one(tmp_path, postgres):  # noqa: F811
    from imagereward_lab.annotation.records import AnnotationError
    from tests.support.lab.postgres import new_database

    url = new_database(postgres)
    make_project(tmp_path / "one", database=url)
    with pytest.raises(AnnotationError, match="a project in this database already"):
        make_project(tmp_path / "two", database=url)
    assert not (tmp_path / "two" / "project" / "project.json").exists()
