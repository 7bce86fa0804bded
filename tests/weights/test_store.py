"""From a card to loadable files: found, fetched, converted once, and named the same whatever way they
came."""

from __future__ import annotations

import hashlib
import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from imagereward_core.errors import DownloadError, WeightsError
from imagereward_core.weights import locate
from imagereward_core.weights.card import ScorerCard, WeightFile
from imagereward_core.weights.cards import CARDS
from imagereward_core.weights.checkpoint import StateFile, convert
from imagereward_core.weights.checkpoint.keymaps import KEYMAPS, KeyMap
from imagereward_core.weights.locate import FoundWeights, WeightSettings, find_weights
from imagereward_core.weights.manifest import safetensors_metadata, sha256_of, write_manifest
from imagereward_core.weights.store import former_revisions, resolve, resolve_file, revision_of
from tests.support.weights.fakes import VOCABULARY, FakeHub, make_card, tiny_state

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
    renamed = tmp_path / "renamed.safetensors"
    save_file(
        dict(reversed(StateFile(Path(copied)).map().items())),
        renamed,
        {"note": "saved anew by another program"},
    )
    labels["saved anew"] = revision_of(renamed)
    assert len(set(labels.values())) == 1, labels
    assert former_revisions(resolve(CARD, offline(folder)), CARD) == (digest[:12],)


def test_what_a_file_says_about_itself_is_no_label(tmp_path: Path, home: Path) -> None:
    """Two files with the same claim, by header, manifest or name in a hub's cache, are two sets of weights."""
    claim = "a" * 64
    blobs = home / "hub" / "models--owner--reward" / "blobs"
    labels = []
    for number in range(2):
        folder = tmp_path / str(number)
        (folder / "blobs").mkdir(parents=True)
        header = folder / "header.safetensors"
        save_file(tiny_state(number), header, {"source_sha256": claim})
        noted = folder / "noted.safetensors"
        save_file(tiny_state(10 + number), noted)
        write_manifest(noted, claim, "owner/reward", "main", "c" * 40)
        named = folder / "blobs" / claim
        save_file(tiny_state(20 + number), named)
        labels += [revision_of(path) for path in (header, noted, named)]
        found = FoundWeights(header, None)
        assert former_revisions(found, CARD) == ()
        assert claim[:12] not in former_revisions(FoundWeights(noted, None), CARD)
    assert len(set(labels)) == 6 and claim[:12] not in labels and not blobs.exists()


def test_a_claim_is_borne_out_only_by_the_file_it_names(folder: Path) -> None:
    source = folder / CARD.folder / "Reward.pt"
    found = resolve(CARD, offline(folder))
    digest = sha256_of(source)
    assert former_revisions(found, CARD) == (digest[:12],)
    save_file(tiny_state(7), found.checkpoint, {"source_sha256": digest})  # other numbers, the same claim
    assert former_revisions(found, CARD) == ()
    save_file(tiny_state(7), found.checkpoint, {"source_sha256": "not a checksum"})
    assert former_revisions(found, CARD) == (sha256_of(found.checkpoint)[:12],)


def test_a_file_that_says_it_is_a_conversion_is_not_taken_for_one(folder: Path) -> None:
    source = folder / CARD.folder / "Reward.pt"
    done = convert(source, source.with_suffix(".safetensors")).target
    layout = StateFile(done).map()
    save_file({name: tensor * 0 for name, tensor in layout.items()}, done, safetensors_metadata(done))
    with pytest.raises(WeightsError, match="was not made from"):
        convert(source, done)


def test_other_numbers_have_another_label(folder: Path, tmp_path: Path) -> None:
    source = folder / CARD.folder / "Reward.pt"
    half = tmp_path / "half.safetensors"
    save_file({name: tensor.half() for name, tensor in StateFile(source).map().items()}, half)
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
    assert found.revision == revision_of(path)
    assert former_revisions(found, CARD) == (sha256_of(path, fresh=True)[:12],)
    assert not path.with_suffix(".safetensors").exists()
    beside = tmp_path / "vocab.txt"
    beside.write_bytes(VOCABULARY)
    assert resolve_file(path, CARD, offline(folder)).vocabulary == beside
    with pytest.raises(WeightsError, match="there is no checkpoint"):
        resolve_file(tmp_path / "nothing.pt", CARD, offline(folder))


def test_a_scorer_without_text_needs_no_vocabulary(folder: Path) -> None:
    found = resolve(make_card(tokenizer=None), offline(folder))
    assert found.vocabulary is None and StateFile(found.checkpoint).map().keys() == tiny_state().keys()


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScorerCard:
    """The card of a head on a tower whose files lie in a models folder of its own."""
    tower = make_card("Tower", checkpoint=(WeightFile(name="Tower.pt", repository="owner/tower"),))
    monkeypatch.setitem(CARDS, "Tower", replace(tower, tokenizer=None))
    card = make_card("Head", checkpoint=(WeightFile(name="Head.pt"),), tokenizer=None, backbone="Tower")
    for number, name in enumerate(("Head", "Tower")):
        (tmp_path / name).mkdir()
        torch.save(tiny_state(number), tmp_path / name / f"{name}.pt")
    return card


def test_a_head_comes_with_what_it_sits_on_and_both_are_in_its_label(
    head: ScorerCard, tmp_path: Path
) -> None:
    found = resolve(head, offline(tmp_path))
    under = resolve(CARDS["Tower"], offline(tmp_path))
    assert found.backbone == under and under.checkpoint == tmp_path / "Tower" / "Tower.safetensors"
    assert found.revision == f"{revision_of(tmp_path / 'Head' / 'Head.pt')}+{under.revision}"


def test_a_head_without_what_it_sits_on_asks_for_that(head: ScorerCard, tmp_path: Path) -> None:
    (tmp_path / "Tower" / "Tower.pt").unlink()
    with pytest.raises(WeightsError, match=r"Tower\.pt of Tower was not found.*huggingface\.co/owner/tower"):
        resolve(head, offline(tmp_path))
    found = find_weights(head, offline(tmp_path))
    assert found is not None and found.backbone is None


def test_a_foreign_file_is_converted_to_the_names_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keymap = KeyMap("a test", KEYMAPS["clip-h"].views, {"visual_projection.weight": (3, 5)})
    monkeypatch.setitem(KEYMAPS, "test", keymap)
    card = make_card("Foreign", tokenizer=None, layout="test")
    path = tmp_path / "Reward.pt"
    torch.save({"state_dict": {"visual.proj": torch.randn(5, 3)}}, path)
    found = resolve(card, offline(tmp_path))
    state = StateFile(found.checkpoint).map()
    original = torch.load(path, weights_only=True)["state_dict"]["visual.proj"]
    assert found.checkpoint.suffix == ".safetensors" and found.revision == revision_of(path, card)
    assert state.keys() == {"visual_projection.weight"}
    assert torch.equal(state["visual_projection.weight"], original.T)
    assert resolve(card, offline(tmp_path)) == found


def test_another_snapshot_of_the_hub_counts_only_where_the_checksum_can_be_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "_SMALL_BYTES", 4)
    content, name = b"large enough", "Big.safetensors"
    digest = hashlib.sha256(content).hexdigest()
    form = WeightFile(name=name, repository="owner/big", revision="a" * 40, sha256=digest)
    card = make_card("Big", checkpoint=(form,), tokenizer=None)
    cache = home / "hub" / "models--owner--big"
    snapshot = cache / "snapshots" / ("b" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / name).write_bytes(content)
    assert find_weights(card, WeightSettings()) is None
    (snapshot / name).unlink()
    (cache / "blobs").mkdir()
    (cache / "blobs" / digest).write_bytes(content)
    (snapshot / name).symlink_to(cache / "blobs" / digest)
    found = find_weights(card, WeightSettings())
    assert found is not None and found.checkpoint == snapshot / name
