from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.cli.output.table import Column, render_table, shorten, text_width

COLUMNS = (
    Column("Score", right=True),
    Column("File", flexible=True, keep_end=True),
    Column("Prompt", flexible=True, dispensable=True),
)


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("雪の日", 6), ("e\u0301", 1), ("ｗｉｄｅ", 8), ("가", 2), ("a\u200db", 2)],
)
def test_width_is_counted_in_terminal_columns(text, width):
    assert text_width(text) == width


def test_columns_stay_aligned_below_wide_characters():
    table = render_table(COLUMNS, [("1.0000", "雪.png", "x"), ("-12.5000", "snow.png", "y")], None)
    starts = {text_width(line[: line.index(mark)]) for line, mark in zip(table.splitlines()[1:], ("x", "y"))}
    assert len(starts) == 1


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.just("1.0"), st.text(max_size=60), st.text(max_size=200)), min_size=1, max_size=6),
    st.integers(40, 120),
)
def test_no_line_is_wider_than_the_window(rows, width):
    table = render_table(COLUMNS, rows, width)
    assert all(text_width(line) <= width for line in table.split("\n"))


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=40), st.integers(3, 40), st.booleans())
def test_a_shortened_text_fits_and_one_that_fits_is_left_alone(text, width, keep_end):
    short = shorten(text, width, "…", keep_end)
    assert text_width(short) <= max(width, 0)
    assert short == text or text_width(text) > width


def test_a_file_name_keeps_its_end_and_a_prompt_its_beginning():
    assert shorten("folder/picture.png", 10, "…", keep_end=True) == "…cture.png"
    assert shorten("a red fox in snow", 10, "...") == "a red f..."


def test_a_hostile_text_cannot_command_the_terminal():
    table = render_table(COLUMNS, [("1.0", "a.png", "red\x1b[31m\nnew line\x07\u202e")], None)
    assert not set(table) & set("\x1b\x07\u202e") and table.count("\n") == 2


def test_columns_without_content_and_the_dispensable_one_go():
    assert "Prompt" not in render_table(COLUMNS, [("1.0", "a.png", "")], None)
    assert "Prompt" not in render_table(COLUMNS, [("1.0", "a" * 50, "b" * 50)], 30)
    assert "Prompt" in render_table(COLUMNS, [("1.0", "a" * 50, "b" * 50)], 60)
