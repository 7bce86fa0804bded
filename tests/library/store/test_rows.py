"""Rows read in blocks are those of their files, whatever else is read with them."""

from __future__ import annotations

import math
import random
import sqlite3

import pytest

from imagereward_core.library.store.records import Query
from imagereward_core.library.store.rows import rows_of
from tests.support.library.stores import KEY, ROOT, Stored, store

NUMBER = 1203  # more than two statements hold


def files(number):
    return [
        Stored(
            f"folder {place % 3}",
            f"{place} ü.png",
            f"prompt {place}" if place % 5 else "",
            place * 10**9,
            (None, math.nan, place / 7)[min(place % 7, 2)],
        )
        for place in range(number)
    ]


@pytest.fixture
def stored(library):
    made = files(NUMBER)
    store(library, made)
    return made


def test_every_row_has_the_texts_and_numbers_of_its_own_file_in_the_order_asked_for(library, stored):
    asked = random.Random(5).choices(stored, k=2 * NUMBER)
    rows = library.find([each.path for each in asked], KEY)
    assert [row.path for row in rows] == [each.path for each in asked]
    assert [row.generated.prompt for row in rows] == [each.prompt for each in asked]
    assert [row.modified_ns for row in rows] == [each.modified_ns for each in asked]
    wanted = [None if each.value is None or math.isnan(each.value) else each.value for each in asked]
    assert [row.value for row in rows] == wanted
    failed = [each.value is not None and math.isnan(each.value) for each in asked]
    assert [row.problem == "the network gave nan" for row in rows] == failed


def test_unknown_numbers_are_left_out(library, stored):
    with library.database.reading() as connection:
        (most,) = connection.execute("SELECT max(id) FROM files").fetchone()
        rows = list(rows_of(connection, 0, [most + 5, most, -1, 1, most + 9]))
    assert [row.file for row in rows] == [most, 1] and rows[0].value is None


def test_the_number_of_statements_does_not_grow_with_the_files(library, stored):
    """Row by row, a hundred thousand files took most of the time of a report."""

    def statements(limit):
        said = []
        with library.database.reading() as connection:
            numbers = [file for (file,) in connection.execute("SELECT id FROM files LIMIT ?", (limit,))]
            connection.set_trace_callback(said.append)
            try:
                assert len(list(rows_of(connection, 1, numbers))) == limit
            finally:
                connection.set_trace_callback(None)
        return len(said)

    assert statements(500) <= 5 and statements(1000) <= 10


def test_no_statement_has_more_question_marks_than_every_sqlite_takes(library, stored):
    if not hasattr(sqlite3.Connection, "setlimit"):
        pytest.skip("Python before 3.11 cannot limit them")
    with library.database.reading() as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        numbers = [file for (file,) in connection.execute("SELECT id FROM files")]
        assert len(list(rows_of(connection, 1, numbers))) == NUMBER
    assert len(list(library.rows(Query(key=KEY, folder=ROOT)))) == NUMBER
