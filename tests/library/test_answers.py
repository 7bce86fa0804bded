"""Answers to quick questions outlive whatever asked them, are never overwritten, and a stranger's file cannot do harm."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.files import STORE_FOLDER
from imagereward_core.files.sqlite import Database
from imagereward_core.files.sqlite_view import StoreError
from imagereward_core.library.answers import ACROSS, APPLICATION_ID, FILE_NAME, MIGRATIONS, AnswerStore
from imagereward_core.library.places import TAB_FOLDER
from imagereward_core.library.shared_answers import places_beside
from imagereward_core.ranking import Comparison

A, B, C = "aa" * 16, "bb" * 16, "cc" * 16


def said(answers, prompt="a cat"):
    return [(each.images, each.winner, each.skipped, each.door) for each in answers.answers(prompt)]


def test_answers_are_there_when_the_file_is_opened_again_by_whoever(tmp_path):
    with AnswerStore.open(tmp_path / "store") as answers:
        answers.add("a cat", [A, B, C], B, door="webui")
        answers.add("a cat", [A, B], None, door="page", person="Ann")
        answers.add_skip("a cat", [B, C])
        answers.add("a dog", [A, B], A)
        answers.add(ACROSS, [A, C], C)
    with AnswerStore.open(tmp_path / "store", looking=True) as answers:
        assert said(answers) == [
            ((A, B, C), B, False, "webui"),
            ((A, B), None, False, "page"),
            ((B, C), None, True, ""),
        ]
        assert answers.prompts() == {"a cat": 2, "a dog": 1, ACROSS: 1}
        ranking = answers.ranking("a cat", [A, B, C], [[0.0, 1.0, math.nan]])
        assert ranking.comparisons == (Comparison((A, B, C), B), Comparison((A, B), None))
        assert ranking.skips == ((B, C),) and ranking.rows()[0].image == B
        assert len(answers.ranking("a cat", [A, B], person="Ann").comparisons) == 1
        assert said(answers, ACROSS) == [((A, C), C, False, "")]
    assert [
        path.name for path in (tmp_path / "store").iterdir() if not path.name.endswith(("-wal", "-shm"))
    ] == [FILE_NAME]


def test_undo_takes_the_last_answer_and_keeps_a_trace_of_it(tmp_path):
    with AnswerStore.open(tmp_path) as answers:
        answers.add("a cat", [A, B], A, person="Ann")
        answers.add("a cat", [A, B], B)
        answers.add("a dog", [A, B], B)
        assert answers.withdraw_last("a cat", person="Ann").winner == A
        assert answers.withdraw_last("a cat").winner == B
        assert answers.withdraw_last("a cat") is None and answers.answers("a cat") == []
        assert len(answers.answers("a dog")) == 1
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        kept = connection.execute("SELECT person, withdrawn IS NULL FROM answers ORDER BY id").fetchall()
        assert kept == [("Ann", 0), ("", 0), ("", 1)]
        assert connection.execute("SELECT count(*) FROM shown").fetchone() == (6,)


def test_a_file_of_the_version_before_is_read_looked_at_and_written_on(tmp_path):
    for place in ("open", "look"):
        before = Database(
            tmp_path / place / FILE_NAME, application=APPLICATION_ID, migrations=MIGRATIONS[:1], exact=True
        )
        with before.writing() as connection:
            connection.execute(
                "INSERT INTO answers (at, prompt, person, door, kind) VALUES (1, 'a cat', '', 'webui', 'best')"
            )
            connection.executemany(
                "INSERT INTO shown VALUES (1, ?, ?, ?)", [(0, bytes.fromhex(A), 0), (1, bytes.fromhex(B), 1)]
            )
        before.close()
    with AnswerStore.open(tmp_path / "look", looking=True) as answers:
        assert said(answers) == [((A, B), B, False, "webui")]
    with AnswerStore.open(tmp_path / "open") as answers:
        answers.add("a cat", [A, B], A, source="page/1")
        assert [each.source for each in answers.answers("a cat")] == ["", "page/1"]


def test_what_is_made_of_the_same_thing_elsewhere_is_one_answer_until_it_is_undone(tmp_path):
    with AnswerStore.open(tmp_path) as one, AnswerStore.open(tmp_path) as other:
        number = one.add("a cat", [A, B], A, source="page/1")
        assert other.add("a cat", [A, B], B, source="page/1") == number
        assert other.by_source("page/1").winner == A and other.by_source("") is None
        assert one.withdraw(number) and not other.withdraw(number)
        again = other.add_skip("a cat", [A, B], source="page/1")
        assert again != number and one.sources() == {"page/1"} and one.withdrawn() == {number}
        assert [each.number for each in one.since()] == [again] and one.since(again) == []


def test_answers_beside_are_found_above_the_pictures_and_only_there(tmp_path):
    own, below = tmp_path / "a" / "store", tmp_path / "a" / "b" / "c"
    for place in (own, below / STORE_FOLDER, tmp_path / "a" / TAB_FOLDER, tmp_path / "other" / STORE_FOLDER):
        AnswerStore.open(place).close()
    (tmp_path / "a" / STORE_FOLDER).mkdir()
    assert places_beside(own, [below]) == (below / STORE_FOLDER, tmp_path / "a" / TAB_FOLDER)
    assert places_beside(tmp_path / "a" / TAB_FOLDER, [below, below.parent]) == (below / STORE_FOLDER,)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_answers_that_somebody_else_laid_above_the_pictures_do_not_count(tmp_path):
    below = tmp_path / "a" / "b"
    for place in (below, below.parent):
        AnswerStore.open(place / STORE_FOLDER).close()
        os.chown(place / STORE_FOLDER / FILE_NAME, 12345, 12345)
    own = tmp_path / "own"
    assert places_beside(own, [below]) == (below / STORE_FOLDER,)  # came with the pictures
    os.chown(below, 12345, 12345)
    assert places_beside(own, [below]) == (below / STORE_FOLDER, below.parent / STORE_FOLDER)


@settings(max_examples=30, deadline=None)
@given(st.text(), st.text(max_size=5))
def test_any_prompt_and_any_name_is_found_again(tmp_path_factory, prompt, person):
    with AnswerStore.open(tmp_path_factory.mktemp("answers")) as answers:
        answers.add(prompt, [A, B], A, person=person)
        assert len(answers.answers(prompt)) == 1


def test_a_prompt_with_half_a_character_is_found_again(tmp_path):
    with AnswerStore.open(tmp_path) as answers:
        answers.add("a \ud800 cat", [A, B], A)
        assert len(answers.answers("a \ud800 cat")) == 1


@pytest.mark.parametrize(
    ("images", "winner"), [([A], A), ([A, A], A), ([A, B], C), (["no hash", B], B)], ids=range(4)
)
def test_what_is_no_answer_is_refused_and_nothing_is_written(tmp_path, images, winner):
    with AnswerStore.open(tmp_path) as answers:
        with pytest.raises(ValueError):
            answers.add("a cat", images, winner)
        assert answers.answers("a cat") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE answers SET kind = 'best'",
        "UPDATE answers SET kind = 'what'",
        "UPDATE shown SET best = 1",
        "DELETE FROM shown WHERE place = 0",
        "UPDATE shown SET content = x'aa'",
        "UPDATE shown SET content = 'text'",
        "UPDATE answers SET person = x'ff'",
        "UPDATE answers SET at = 'now'",
    ],
)
def test_a_row_that_this_program_never_writes_is_told_and_not_used(tmp_path, change):
    with AnswerStore.open(tmp_path) as answers:
        answers.add("a cat", [A, B], None)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(change)
    with AnswerStore.open(tmp_path) as answers, pytest.raises(StoreError, match="file of answers"):
        answers.answers("a cat")


def test_a_file_that_acts_by_itself_is_of_another_program_or_newer_is_not_opened(tmp_path):
    with AnswerStore.open(tmp_path):
        pass
    for change in (
        "CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM shown; END",
        "PRAGMA user_version = 9",
        "PRAGMA application_id = 1",
    ):
        copy = tmp_path / change.split()[1]
        copy.mkdir()
        with (
            closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection,
            closing(sqlite3.connect(copy / FILE_NAME)) as other,
        ):
            connection.backup(other)
            other.execute(change)
            other.commit()
        with pytest.raises(StoreError):
            AnswerStore.open(copy)
