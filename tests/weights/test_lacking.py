"""A message about weights to be fetched by hand: every file that is needed, where each goes, and what lets downloads happen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagereward_core.errors import DownloadError, WeightsError
from imagereward_core.weights import locate
from imagereward_core.weights.card import ScorerCard, WeightsCard
from imagereward_core.weights.cards import BACKBONES, CARDS, backbone_of
from imagereward_core.weights.lacking import lacking
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.store import resolve, resolve_all
from tests.support.weights.fakes import FakeHub

FETCHED = [card for card in CARDS.values() if card.id != "demo"]
STEP = re.compile(
    r"download (\S+)(?: \(about [\d,.]+ MB\))? from (https://\S+) and put it, named (\S+), into (\S+?)(?=; |\. |$)"
)


def parts(card: WeightsCard) -> list[WeightsCard]:
    """A scorer and what its head sits on."""
    under = backbone_of(card)
    return [card, *(parts(under) if under else [])]


def needed(card: WeightsCard, root: Path) -> set[tuple[str, str]]:
    """Name and folder of every file of a scorer, read off its cards: of its weights the form that is published, and its vocabulary."""
    found = set()
    for part in parts(card):
        published = next(form for form in part.checkpoint if form.repository or form.address)
        files = [published, *([part.tokenizer] if part.tokenizer else [])]
        found |= {(file.name, str(root / part.folder)) for file in files}
    return found


def told(error: BaseException) -> set[tuple[str, str]]:
    """Names and folders that a message tells."""
    return {(name, folder) for _, _, name, folder in STEP.findall(str(error))}


def off(root: Path) -> WeightSettings:
    return WeightSettings(
        folders=(root,), allow_download=False, to_allow="switch on the widget", use_hub_cache=False
    )


@pytest.mark.parametrize("card", FETCHED, ids=lambda card: card.id)
def test_a_message_names_all_files_of_a_scorer_their_places_and_the_switch(tmp_path: Path, card: ScorerCard):
    root = tmp_path / "models"
    with pytest.raises(WeightsError) as caught:
        resolve(card, off(root))
    assert told(caught.value) == needed(card, root)
    assert "downloads are switched off: switch on the widget" in str(caught.value)
    assert "(" not in "".join(address for _, address, _, _ in STEP.findall(str(caught.value)))


@pytest.mark.parametrize("card", FETCHED, ids=lambda card: card.id)
def test_files_put_where_a_message_says_are_found(tmp_path: Path, card: ScorerCard, monkeypatch):
    """Whoever does what he was told is not told anything more; checksums are another test's matter."""
    monkeypatch.setattr(locate, "accept", lambda path, form: path.is_file())
    root = tmp_path / "models"
    with pytest.raises(WeightsError) as caught:
        resolve(card, off(root))
    for name, folder in told(caught.value):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / name).write_bytes(b"weights")
    assert lacking([card], off(root)) == [] and locate.find_weights(card, off(root)) is not None


def test_only_what_is_still_missing_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(locate, "accept", lambda path, form: path.is_file())
    card = CARDS["Aesthetic-v2.5"]
    folder = tmp_path / card.folder
    folder.mkdir()
    (folder / "aesthetic_predictor_v2_5.safetensors").write_bytes(b"another form of the head")
    with pytest.raises(WeightsError) as caught:
        resolve(card, off(tmp_path))
    (siglip,) = BACKBONES.values()
    assert told(caught.value) == needed(siglip, tmp_path)
    assert "1)" not in str(caught.value) and "aesthetic_predictor" not in str(caught.value)


def test_the_scorers_of_one_run_are_named_in_one_message_each_file_once(tmp_path: Path):
    cards = [CARDS[name] for name in ("MPS", "MPS-0.3", "PickScore")]
    with pytest.raises(WeightsError) as caught:
        resolve_all(cards, off(tmp_path))
    assert told(caught.value) == set().union(*(needed(card, tmp_path) for card in cards))
    assert len(STEP.findall(str(caught.value))) == len(told(caught.value))


def test_the_switch_is_not_offered_for_what_it_would_not_fetch(tmp_path: Path):
    blip = CARDS["BLIP"]
    with pytest.raises(WeightsError, match="model_large.pth of BLIP in any case, for it is on no hub"):
        resolve(blip, off(tmp_path))
    with pytest.raises(WeightsError, match="on no hub") as caught:
        resolve(blip, WeightSettings(folders=(tmp_path,), use_hub_cache=False))
    assert told(caught.value) == {("model_large.pth", str(tmp_path / "BLIP"))}
    assert "switched off" not in str(caught.value)


def test_a_hub_that_cannot_be_reached_leaves_no_file_unnamed(tmp_path: Path, hub: FakeHub):
    cards = [CARDS["ImageReward-v1.0"], CARDS["Aesthetic"]]
    settings = WeightSettings(folders=(tmp_path,), endpoint="http://127.0.0.1:9", use_hub_cache=False)
    with pytest.raises(DownloadError, match="could not begin") as caught:
        resolve_all(cards, settings)
    assert told(caught.value) == set().union(*(needed(card, tmp_path) for card in cards))


def test_where_nothing_is_missing_no_folder_is_needed(monkeypatch):
    """In a container with another user's number there is neither a home nor a models folder to write to."""

    def nowhere(card, settings):
        raise WeightsError("there is no folder")

    monkeypatch.setattr("imagereward_core.weights.lacking.target_folder", nowhere)
    settings = WeightSettings(folders=(), allow_download=False, use_hub_cache=False)
    assert resolve(CARDS["demo"], settings).checkpoint.is_file()
