"""Where files are looked for, in which order, and that names stay in their folder."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.errors import WeightsError
from imagereward_core.weights.card import WeightFile
from imagereward_core.weights.locate import (
    WeightSettings,
    bundled_folder,
    find_file,
    find_vocabulary,
    find_weights,
    inside,
    searched,
    target_folder,
)
from tests.support.weights.fakes import VOCABULARY, make_card

CARD = make_card()
PT = CARD.checkpoint[1]


def put(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_in_hub(home: Path, repository: str, revision: str, name: str, content: bytes) -> Path:
    """Lays a file into the hub's cache as huggingface_hub does: content by checksum, a link per revision."""
    cache = home / "hub" / f"models--{repository.replace('/', '--')}"
    blob = put(cache / "blobs" / hashlib.sha256(content).hexdigest(), content)
    path = cache / "snapshots" / revision / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(blob)
    put(cache / "refs" / "main", revision.encode())
    return path


def test_places_are_searched_in_the_documented_order(tmp_path: Path, home: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    where = WeightSettings(folders=(first, second))
    expected = [
        put(first / CARD.folder / PT.name),
        put(first / PT.name),
        put(second / CARD.folder / PT.name),
        put(second / PT.name),
        put(home / ".cache" / "imagereward-curator" / CARD.folder / PT.name),
        put_in_hub(home, PT.repository, "a" * 40, PT.name, b"weights"),
        put(home / ".cache" / "ImageReward" / PT.name),
    ]
    for path in expected:
        assert find_file(CARD, PT, where) == path
        path.unlink()
    assert find_file(CARD, PT, where) is None


def test_place_decides_before_form_and_safetensors_comes_first_within_a_place(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    where = WeightSettings(folders=(first, second))
    pt = put(first / CARD.folder / "Reward.pt")
    put(second / "Reward.safetensors")
    found = find_weights(CARD, where)
    assert found is not None and found.checkpoint == pt
    beside = put(first / "Reward.safetensors")
    found = find_weights(CARD, where)
    assert found is not None and found.checkpoint == beside


def test_hub_and_reference_caches_are_left_out_when_switched_off(home: Path) -> None:
    put_in_hub(home, PT.repository, "a" * 40, PT.name, b"weights")
    put(home / ".cache" / "ImageReward" / PT.name)
    assert find_weights(CARD, WeightSettings(use_hub_cache=False)) is None
    assert find_weights(CARD, WeightSettings()) is not None


@pytest.mark.parametrize("repository", ["google-bert/bert-base-uncased", "bert-base-uncased"])
def test_vocabulary_is_found_in_the_hub_cache_at_any_revision_by_its_checksum(
    home: Path, repository: str
) -> None:
    path = put_in_hub(home, repository, "d" * 40, "vocab.txt", VOCABULARY)
    assert find_vocabulary(CARD, WeightSettings()) == path
    put_in_hub(home, repository, "e" * 40, "vocab.txt", b"another vocabulary")
    assert find_vocabulary(CARD, WeightSettings()) == path


def test_another_vocabulary_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / CARD.folder / "vocab.txt", b"not the one")
    right = put(tmp_path / "vocab.txt", VOCABULARY)
    assert find_vocabulary(CARD, WeightSettings(folders=(tmp_path,))) == right
    assert "passed over" in caplog.text


def test_paths_with_unicode_and_spaces_work(tmp_path: Path) -> None:
    folder = tmp_path / "Modèles d'été 模型 🎨"
    path = put(folder / CARD.folder / "Reward.pt")
    found = find_weights(CARD, WeightSettings(folders=(folder,)))
    assert found is not None and found.checkpoint == path


def test_only_the_demo_has_files_in_the_package() -> None:
    folder = bundled_folder(make_card("demo"))
    assert folder is not None and folder.parts[-3:] == ("imagereward_core", "demo", "model")
    assert bundled_folder(CARD) is None


def test_downloads_go_to_the_folder_that_is_searched_first(tmp_path: Path, home: Path) -> None:
    assert target_folder(CARD, WeightSettings(folders=(tmp_path,))) == tmp_path / CARD.folder
    assert target_folder(CARD, WeightSettings()) == home / ".cache" / "imagereward-curator" / CARD.folder
    named = WeightSettings(folders=(tmp_path,), download_folder=tmp_path / "big disk")
    assert target_folder(CARD, named) == tmp_path / "big disk" / CARD.folder
    path = put(tmp_path / "big disk" / CARD.folder / "Reward.pt")
    assert find_file(CARD, PT, named) == path


def test_the_places_searched_are_named_for_people(tmp_path: Path, home: Path) -> None:
    words = searched(CARD, WeightSettings(folders=(tmp_path,)))
    assert str(tmp_path / CARD.folder) in words and str(home / ".cache" / "ImageReward") in words
    assert len(searched(CARD, WeightSettings(use_hub_cache=False))) == 1


HOSTILE = (
    "",
    ".",
    "..",
    "../x.pt",
    "a/b.pt",
    "a\\b.pt",
    "/x.pt",
    "C:x.pt",
    "C:\\x.pt",
    "x\0.pt",
    "\\\\host\\x",
    "x.pt:s",
    "x\n",
    "x.pt ",
    "x.",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match=r"file name|control character"):
        inside(tmp_path, name)
    with pytest.raises(WeightsError):
        find_file(CARD, WeightFile(name=name), WeightSettings(folders=(tmp_path,)))


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=12) | st.text(alphabet="./\\: a", max_size=8))
def test_every_accepted_name_lies_directly_in_the_folder(name: str) -> None:
    folder = Path("models").absolute()
    try:
        path = inside(folder, name)
    except WeightsError:
        return
    assert path.parent == folder and path.name == name
    if sys.platform != "win32":
        assert Path(str(path)).resolve().parent == folder.resolve()
