"""A path that somebody sent is read only where it leads into an allowed folder, links followed, in every spelling."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.webui.fake_webui import ours


@pytest.fixture
def places():
    return ours("host.allowed_paths")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """outputs/a.png, outputs/sub/b.png and secret/c.png; the current folder is the one above."""
    for name in ("outputs/a.png", "outputs/sub/b.png", "secret/c.png", "outputs-old/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_paths_inside_are_found_absolute_and_relative(places, tree):
    folders = [tree / "outputs"]
    expected = (tree / "outputs/sub/b.png").resolve()
    for text in (str(expected), "outputs/sub/b.png", "sub/b.png", f"{tree}/outputs/./sub/../sub/b.png"):
        assert places.confine(text, folders) == expected
    assert places.confine(str(tree / "outputs"), folders) == (tree / "outputs").resolve()


@pytest.mark.parametrize(
    "text",
    ["../secret/c.png", "sub/../../secret/c.png", "..", "/", "/etc/passwd", "{tree}/outputs-old/d.png"],
)
def test_paths_that_lead_out_are_refused(places, tree, text):
    with pytest.raises(places.PlaceError, match="outside"):
        places.confine(text.format(tree=tree), [tree / "outputs"])


@pytest.mark.parametrize("text", ["secret/c.png", "~/x", "outputs-old/d.png"])
def test_a_relative_path_means_one_inside_an_allowed_folder(places, tree, text):
    assert places.confine(text, [tree / "outputs"]) == (tree / "outputs" / text).resolve()


def test_links_are_followed_before_judging(places, tree):
    try:
        (tree / "outputs/door").symlink_to(tree / "secret")
        (tree / "outputs/one.png").symlink_to(tree / "secret/c.png")
        (tree / "circle").symlink_to(tree / "circle")
        (tree / "outside").symlink_to(tree / "outputs/a.png")
    except OSError:
        pytest.skip("this system lets nobody make links")
    for text in ("outputs/door/c.png", "outputs/one.png", "circle", "circle/x"):
        with pytest.raises(places.PlaceError):
            places.confine(str(tree / text), [tree / "outputs"])
    assert places.confine("outside", [tree / "outputs"]) == (tree / "outputs/a.png").resolve()


def test_an_allowed_folder_may_be_a_link_itself(places, tree):
    try:
        (tree / "linked").symlink_to(tree / "outputs")
    except OSError:
        pytest.skip("this system lets nobody make links")
    assert places.confine("linked/a.png", [tree / "linked"]) == (tree / "outputs/a.png").resolve()


def test_the_answer_does_not_tell_what_exists_outside(places, tree):
    def words(text):
        with pytest.raises(places.PlaceError) as caught:
            places.confine(text, [tree / "outputs"])
        return str(caught.value).replace(repr(text), "")

    assert words(str(tree / "secret/c.png")) == words(str(tree / "secret/none.png"))


def test_nothing_is_allowed_where_no_folder_is(places, tree):
    with pytest.raises(places.PlaceError, match="none so far"):
        places.confine("outputs/a.png", [])


@pytest.mark.parametrize("text", ["", "   ", "a\0b.png", "x" * 5000])
def test_what_is_no_path_is_refused_in_words(places, tree, text):
    with pytest.raises(places.PlaceError):
        places.confine(text, [tree])


@pytest.mark.parametrize(
    "text",
    [
        r"\\attacker\share\x.png",
        "//attacker/share/x.png",
        r"\\?\C:\Windows\win.ini",
        r"\\.\PhysicalDrive0",
        r"\\nas\pictures\..\..\other\x.png",
        "C:x.png",
        r"C:\out\a.png:hidden",
        "a.png::$DATA",
        r"C:\out\CON",
        r"C:\out\nul.png",
        "com1",
        "LPT9.txt",
        r"C:\out\a.png.",
        r"C:\out \a.png",
        "a\nb.png",
    ],
)
def test_windows_forms_that_mean_something_else_are_never_looked_up(places, text):
    assert places.objection(text, windows=True, folders=[Path("C:/out"), Path("//nas/pictures")])


@pytest.mark.parametrize(
    "text",
    [
        r"C:\out\a.png",
        "out/2026-01-01/12 30.png",
        r"\\nas\pictures\sub\a.png",
        "//nas/pictures/a.png",
        r"..\a.png",
    ],
)
def test_ordinary_windows_paths_are_looked_up(places, text):
    assert places.objection(text, windows=True, folders=[Path("//nas/pictures")]) == ""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["..", ".", "sub", "a.png", "door", "", "secret", "//", "~", "\\"]), max_size=8)
)
def test_whatever_is_answered_lies_inside(tmp_path_factory, parts):
    places = ours("host.allowed_paths")
    base = tmp_path_factory.mktemp("places")
    (base / "outputs/sub").mkdir(parents=True)
    (base / "secret").mkdir()
    (base / "outputs/door").symlink_to(base / "secret", target_is_directory=True)
    try:
        found = places.confine("/".join(parts), [base / "outputs"])
    except places.PlaceError:
        return
    assert os.path.commonpath([found, (base / "outputs").resolve()]) == str((base / "outputs").resolve())
