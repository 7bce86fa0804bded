from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.inputs import find_pictures, natural_key


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def found(*arguments: object, recursive: bool = False, stdin: str = "") -> list[str]:
    return [
        each.name
        for each in find_pictures([str(a) for a in arguments], recursive, io.StringIO(stdin)).pictures
    ]


def test_folders_are_read_in_natural_order_and_hold_pictures_only(tmp_path):
    for name in ("b10.png", "b9.PNG", "A1.jpg", "note.txt", ".hidden.png", "Ä 雪.webp", "x.safetensors"):
        touch(tmp_path / name)
    assert [Path(name).name for name in found(tmp_path)] == ["A1.jpg", "b9.PNG", "b10.png", "Ä 雪.webp"]


def test_small_copies_that_swarmui_makes_are_passed_over(tmp_path):
    for name in ("a.gif", "a.swarmpreview.jpg", "a.swarmpreview.webp"):
        touch(tmp_path / name)
    for arguments in ([tmp_path], [tmp_path / "*"], sorted(tmp_path.iterdir())):
        assert found(*arguments) == [str(tmp_path / "a.gif")]


def test_subfolders_come_after_their_folder_and_only_when_asked_for(tmp_path):
    for name in ("z.png", "a/2.png", "a/10.png", ".cache/1.png"):
        touch(tmp_path / name)
    assert found(tmp_path) == [str(tmp_path / "z.png")]
    assert found(tmp_path, recursive=True) == [
        str(tmp_path / name) for name in ("z.png", "a/2.png", "a/10.png")
    ]


def test_a_picture_named_twice_is_scored_once(tmp_path, monkeypatch):
    touch(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert found("a.png", "./a.png", tmp_path / "a.png", tmp_path, "*.png") == ["a.png"]


def test_patterns_are_expanded_here_and_take_pictures_only(tmp_path):
    for name in ("1.png", "2.png", "2.txt", "sub/3.png"):
        touch(tmp_path / name)
    assert found(tmp_path / "*") == [str(tmp_path / name) for name in ("1.png", "2.png", "sub/3.png")]
    assert found(tmp_path / "**" / "3.*") == [str(tmp_path / "sub" / "3.png")]


def test_a_name_with_brackets_is_a_name_before_it_is_a_pattern(tmp_path):
    touch(tmp_path / "[0.83] cat.png")
    touch(tmp_path / "0 cat.png")
    assert found(tmp_path / "[0.83] cat.png") == [str(tmp_path / "[0.83] cat.png")]


def test_a_missing_input_is_kept_with_its_reason_beside_those_that_exist(tmp_path):
    touch(tmp_path / "a.png")
    inputs = find_pictures(
        [str(tmp_path / "no.png"), str(tmp_path / "no*.png"), str(tmp_path)], False, io.StringIO()
    )
    assert ["no such file" in each.problem for each in inputs.pictures] == [True, False, False]
    assert "fits this pattern" in inputs.pictures[1].problem and not inputs.pictures[2].problem


@pytest.mark.parametrize("arguments", [["{}"], ["{}/no.png"], ["{}/*.png"], ["{}/note.txt"]])
def test_nothing_to_score_is_an_error_that_names_what_was_given(tmp_path, arguments):
    touch(tmp_path / "note.txt")
    touch(tmp_path / "sub" / "a.png")
    with pytest.raises(UsageError, match=r"no picture was found"):
        find_pictures([argument.format(tmp_path) for argument in arguments], False, io.StringIO())


def test_an_empty_folder_with_subfolders_is_explained(tmp_path):
    touch(tmp_path / "sub" / "a.png")
    with pytest.raises(UsageError, match="--recursive"):
        find_pictures([str(tmp_path)], False, io.StringIO())


def test_text_files_beside_pictures_are_passed_over_and_counted(tmp_path):
    names = [touch(tmp_path / name) for name in ("a.png", "a.txt", "a.json")]
    inputs = find_pictures([str(name) for name in names], False, io.StringIO())
    assert [each.path for each in inputs.pictures] == [tmp_path / "a.png"] and inputs.passed_over == 2


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
def test_a_dash_reads_names_from_stdin(tmp_path, separator):
    names = [str(touch(tmp_path / name)) for name in ("b c.png", "a.png")]
    assert found("-", stdin=separator.join(names) + separator) == names


def test_a_name_no_file_system_accepts_is_a_reason_and_no_crash(tmp_path):
    touch(tmp_path / "a.png")
    inputs = find_pictures(
        [str(tmp_path / "a.png"), "nul\0byte.png", "x" * 5000 + ".png"], False, io.StringIO()
    )
    assert [bool(each.problem) for each in inputs.pictures] == [False, True, True]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_names_can_be_put_into_natural_order(names):
    assert sorted(sorted(names, key=natural_key, reverse=True), key=natural_key) == sorted(
        names, key=natural_key
    )


def test_natural_order_counts():
    assert sorted(["a10b2", "a2b10", "a2b9", "A1"], key=natural_key) == ["A1", "a2b9", "a2b10", "a10b2"]
