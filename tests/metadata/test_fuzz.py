"""A few hundred damaged pictures and blocks; ``python -m benchmarks.fuzz_metadata`` takes thousands and records them."""

from __future__ import annotations

import pytest

from benchmarks import fuzzing
from imagereward_core.metadata.writing import png

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A test machine may be slow and busy; the recorded run keeps to the stricter limit."""
    monkeypatch.setattr(fuzzing, "LIMIT", 60.0)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    return fuzzing.picture_originals(tmp_path_factory.mktemp("originals"))


def test_damaged_pictures_are_read_or_refused_and_edited_without_harm(originals):
    outcomes = [
        fuzzing.try_picture(item) for item in fuzzing.items(originals, fuzzing.PICTURE_DAMAGE, 400, seed=7)
    ]
    assert {outcome.reading for outcome in outcomes} == {"read", "nothing", "refused"}
    assert {outcome.writing for outcome in outcomes} == {"edited", "refused"}


def test_whole_pictures_are_read_and_edited(originals):
    for name, data in originals.items():
        outcome = fuzzing.try_picture(fuzzing.Item(name, "none", data))
        assert outcome.reading == ("nothing" if "plain" in name else "read"), name
        assert outcome.writing == ("refused" if name.split()[0] in ("avif", "gif") else "edited"), name


def test_damaged_blocks_are_read_or_passed_over(tmp_path):
    items = fuzzing.items(fuzzing.block_originals(), fuzzing.BLOCK_DAMAGE, 66, seed=8)
    outcomes = [fuzzing.try_block(item, tmp_path) for item in items]
    assert {outcome.reading for outcome in outcomes} == {"read", "nothing"}


def test_the_same_seed_gives_the_same_damage(originals):
    first, second = (list(fuzzing.items(originals, fuzzing.PICTURE_DAMAGE, 60, seed=3)) for _ in range(2))
    assert first == second and first != list(fuzzing.items(originals, fuzzing.PICTURE_DAMAGE, 60, seed=4))


def test_an_edit_that_loses_a_chunk_is_noticed(originals, monkeypatch):
    """The check sees what it looks for: with a writer that takes every text for ours, it complains."""
    monkeypatch.setattr(png, "_keyword", lambda data: "imagereward")
    with pytest.raises(fuzzing.Broken):
        fuzzing.try_picture(fuzzing.Item("png comfyui", "none", originals["png comfyui"]))


def test_a_reader_that_hangs_is_noticed(originals, monkeypatch):
    monkeypatch.setattr(fuzzing, "LIMIT", 0.05)
    monkeypatch.setattr(fuzzing, "read_prompt", lambda *_, **__: [None for _ in range(10**9)])
    with pytest.raises(fuzzing.Hang):
        fuzzing.try_picture(fuzzing.Item("png comfyui", "none", originals["png comfyui"]))
