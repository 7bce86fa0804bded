"""From a card to loadable files: found, fetched, converted once, and named the same whatever way they
came."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import torch
from weights_fakes import VOCABULARY, FakeHub, make_card, tiny_state

from imagereward_core.errors import DownloadError, WeightsError
from imagereward_core.weights.card import WeightFile
from imagereward_core.weights.checkpoint import convert, open_state, sha256_of
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.store import resolve, resolve_file, revision_of

CARD = make_card()


def pt_bytes() -> bytes:
    buffer = io.BytesIO()
    torch.save(tiny_state(), buffer)
    return buffer.getvalue()


PT_BYTES = pt_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder that holds the scorer's ``.pt`` file and vocabulary."""
    own = tmp_path / "models" / CARD.folder
    own.mkdir(parents=True)
    (own / "Reward.pt").write_bytes(PT_BYTES)
    (own / "vocab.txt").write_bytes(VOCABULARY)
    return own.parent


def offline(*folders: Path, **changes: object) -> WeightSettings:
    return WeightSettings(folders=folders, allow_download=False, **changes)  # type: ignore[arg-type]


def test_a_pt_file_is_converted_once_and_stays(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    first = resolve(CARD, offline(folder))
    assert first.checkpoint == folder / CARD.folder / "Reward.safetensors"
    assert first.vocabulary == folder / CARD.folder / "vocab.txt"
    assert (folder / CARD.folder / "Reward.pt").read_bytes() == PT_BYTES
    assert "converted" in caplog.text
    stamp = first.checkpoint.stat().st_mtime_ns
    assert resolve(CARD, offline(folder)) == first and first.checkpoint.stat().st_mtime_ns == stamp


def test_one_set_of_weights_has_one_label_whatever_way_it_came(
    folder: Path, tmp_path: Path, home: Path, hub: FakeHub
) -> None:
    hub.files = {"owner/reward/Reward.pt": PT_BYTES, "google-bert/bert-base-uncased/vocab.txt": VOCABULARY}
    digest = sha256_of(folder / CARD.folder / "Reward.pt", fresh=True)
    cache = home / "hub" / "models--owner--reward"
    (cache / "blobs").mkdir(parents=True)
    (cache / "blobs" / digest).write_bytes(PT_BYTES)
    snapshot = cache / "snapshots" / ("b" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "Reward.pt").symlink_to(cache / "blobs" / digest)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("b" * 40)
    shutil.copy(folder / CARD.folder / "vocab.txt", tmp_path / "vocab.txt")
    labels = {
        "as it is": resolve(CARD, offline(folder, auto_convert=False)).revision,
        "from the hub's cache": resolve(CARD, offline(tmp_path)).revision,
        "converted": resolve(CARD, offline(folder)).revision,
        "downloaded": resolve(
            CARD, WeightSettings(folders=(tmp_path / "new",), endpoint=hub.endpoint, use_hub_cache=False)
        ).revision,
    }
    copied = shutil.copy(folder / CARD.folder / "Reward.safetensors", tmp_path / "elsewhere.safetensors")
    labels["copied by hand"] = revision_of(Path(copied))
    assert set(labels.values()) == {digest[:12]}, labels


def test_other_numbers_have_another_label(folder: Path, tmp_path: Path) -> None:
    source = folder / CARD.folder / "Reward.pt"
    half = convert(source, tmp_path / "half.safetensors", dtype_of=lambda name: torch.float16).target
    torch.save(tiny_state(4), tmp_path / "other.pt")
    assert len({revision_of(source), revision_of(half), revision_of(tmp_path / "other.pt")}) == 3


def test_a_folder_that_cannot_be_written_to_is_used_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    found = resolve(CARD, offline(folder))
    assert found.checkpoint.name == "Reward.pt" and found.revision
    assert not (folder / CARD.folder / "Reward.safetensors").exists()


def test_no_room_for_a_conversion_is_no_obstacle(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    assert resolve(CARD, offline(folder)).checkpoint.name == "Reward.pt"
    assert "no room" in caplog.text


def test_conversion_can_be_switched_off_and_leaves_other_programs_caches_alone(
    folder: Path, home: Path
) -> None:
    assert resolve(CARD, offline(folder, auto_convert=False)).checkpoint.name == "Reward.pt"
    reference = home / ".cache" / "ImageReward"
    reference.mkdir(parents=True)
    shutil.move(folder / CARD.folder / "Reward.pt", reference / "Reward.pt")
    assert resolve(CARD, offline(folder)).checkpoint == reference / "Reward.pt"
    assert [path.name for path in reference.iterdir()] == ["Reward.pt"]


def test_a_hostile_pt_file_is_an_error_before_anything_is_made_of_it(folder: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), folder / CARD.folder / "Reward.pt")
    with pytest.raises(WeightsError, match="refused"):
        resolve(CARD, offline(folder))
    assert not (folder / CARD.folder / "Reward.safetensors").exists()


def test_missing_weights_are_named_with_every_place_and_the_way_to_get_them(
    tmp_path: Path, home: Path
) -> None:
    with pytest.raises(WeightsError) as caught:
        resolve(CARD, offline(tmp_path / "models"))
    text = str(caught.value)
    for word in (
        "Reward.pt",
        "huggingface.co/owner/reward",
        "1,786.9 MB",
        str(tmp_path / "models" / CARD.folder),
        str(home / ".cache" / "imagereward-curator" / CARD.folder),
        str(home / ".cache" / "ImageReward"),
        "the cache of huggingface_hub",
    ):
        assert word in text


def test_a_missing_vocabulary_is_named_too(folder: Path) -> None:
    (folder / CARD.folder / "vocab.txt").unlink()
    with pytest.raises(WeightsError, match=r"vocab\.txt of TestReward-v1.*google-bert/bert-base-uncased"):
        resolve(CARD, offline(folder))


def test_what_is_missing_is_fetched_and_only_that(folder: Path, hub: FakeHub) -> None:
    hub.files = {"google-bert/bert-base-uncased/vocab.txt": VOCABULARY}
    (folder / CARD.folder / "vocab.txt").unlink()
    seen: list[str] = []
    found = resolve(
        CARD,
        WeightSettings(folders=(folder,), endpoint=hub.endpoint, use_hub_cache=False),
        lambda name, done, total: seen.append(name),
    )
    assert found.vocabulary == folder / CARD.folder / "vocab.txt"
    assert {path for _, path, _ in hub.log if "reward" in path} == set()
    assert {"vocab.txt", "Reward.safetensors"} <= set(seen)


def test_a_failed_download_says_what_was_searched(tmp_path: Path, hub: FakeHub) -> None:
    with pytest.raises(DownloadError, match=r"could not be fetched: the hub does not know") as caught:
        resolve(CARD, WeightSettings(folders=(tmp_path,), endpoint=hub.endpoint))
    assert str(tmp_path / CARD.folder) in str(caught.value)


def test_a_file_of_the_package_that_is_missing_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    card = make_card("demo", checkpoint=(WeightFile(name="not there.safetensors"),), tokenizer=None)
    with pytest.raises(WeightsError, match="install it again"):
        resolve(card, WeightSettings(folders=(tmp_path,)))


def test_a_checkpoint_named_by_path_is_used_where_it_is(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "my fine tune.pt"
    torch.save(tiny_state(8), path)
    found = resolve_file(path, CARD, offline(folder))
    assert found.checkpoint == path and found.vocabulary == folder / CARD.folder / "vocab.txt"
    assert found.revision == sha256_of(path, fresh=True)[:12]
    assert not path.with_suffix(".safetensors").exists()
    beside = tmp_path / "vocab.txt"
    beside.write_bytes(VOCABULARY)
    assert resolve_file(path, CARD, offline(folder)).vocabulary == beside
    with pytest.raises(WeightsError, match="there is no checkpoint"):
        resolve_file(tmp_path / "nothing.pt", CARD, offline(folder))


def test_a_scorer_without_text_needs_no_vocabulary(folder: Path) -> None:
    found = resolve(make_card(tokenizer=None), offline(folder))
    assert found.vocabulary is None and open_state(found.checkpoint).keys() == tiny_state().keys()
