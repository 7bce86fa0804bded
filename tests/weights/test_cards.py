"""Every card says what a person must know, and its files can be found, fetched or asked for. A new card is tested by existing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from imagereward_core.errors import UnknownScorerError, WeightsError
from imagereward_core.weights.card import ScorerCard, WeightFile, WeightsCard
from imagereward_core.weights.cards import BACKBONES, CARDS, OTHERS, backbone_of, get_card
from imagereward_core.weights.locate import (
    WeightSettings,
    bundled_folder,
    find_weights,
    inside,
    target_folder,
)
from imagereward_core.weights.store import resolve

EVERY = [*CARDS.values(), *BACKBONES.values(), *OTHERS.values()]


@pytest.fixture(params=EVERY, ids=lambda card: card.id)
def files(request: pytest.FixtureRequest) -> WeightsCard:
    """Each set of weights."""
    return request.param


@pytest.fixture(params=list(CARDS.values()), ids=list(CARDS))
def card(request: pytest.FixtureRequest) -> ScorerCard:
    """Each scorer."""
    return request.param


def test_the_scorers_of_the_paper_and_the_field_are_there_the_default_first() -> None:
    assert list(CARDS) == [
        "ImageReward-v1.0",
        "CLIP",
        "BLIP",
        "Aesthetic",
        "PickScore",
        "HPSv2",
        "HPSv2.1",
        "MPS",
        "MPS-0.3",
        "Aesthetic-v2.5",
        "demo",
    ]


def test_a_card_is_found_by_its_id_in_any_case(card: ScorerCard) -> None:
    assert CARDS[card.id] is card
    assert get_card(card.id.upper()) is card and get_card(card.id.lower()) is card


def test_an_unknown_id_is_told_what_exists() -> None:
    with pytest.raises(UnknownScorerError, match=r"'nonsense'.*CLIP.*MPS-0\.3"):
        get_card("nonsense")


def test_a_person_learns_what_it_is(card: ScorerCard) -> None:
    assert card.title and card.summary and card.licence and card.paper
    assert len(card.title) <= 60 and card.summary.endswith(".")
    assert card.notes and all(note.endswith(".") and note[0].isupper() for note in card.notes)
    low, high = card.typical_range
    assert low < high
    if card.distribution is not None:
        assert card.distribution.std > 0 and card.distribution.source


def test_a_scorer_reads_text_wholly_or_not_at_all(card: ScorerCard) -> None:
    reads = card.text != ""
    assert reads == (card.tokenizer is not None) == (card.token_limit is not None) == card.needs_prompt
    assert reads or any("prompt is not read" in text for text in (card.summary, *card.notes))


def test_authors_who_advise_against_comparing_across_prompts_are_heard(card: ScorerCard) -> None:
    assert card.cross_prompt == (card.id not in {"HPSv2", "HPSv2.1"})
    assert card.cross_prompt or any("say its authors" in note for note in card.notes)


def test_a_head_sees_what_its_backbone_saw_so_that_they_share_the_work(card: ScorerCard) -> None:
    under = backbone_of(card)
    assert (under is None) == (card.backbone == "")
    if isinstance(under, ScorerCard):
        assert under.image == card.image


def test_files_have_plain_names_and_facts_of_the_right_form(files: WeightsCard) -> None:
    for form in (*files.checkpoint, *([files.tokenizer] if files.tokenizer else [])):
        assert inside(Path("models"), form.name).name == form.name
        assert form.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", form.sha256)
        assert form.revision == "main" or re.fullmatch(r"[0-9a-f]{40}", form.revision)
        assert form.size is None or form.size > 0
        assert not form.address or re.fullmatch(r"https://[\w./+-]+", form.address)


def test_the_weights_can_be_had(files: WeightsCard) -> None:
    sources = [form for form in files.checkpoint if form.repository or form.address]
    assert sources or bundled_folder(files) is not None
    for form in sources:
        converted = Path(form.name).with_suffix(".safetensors").name
        assert converted in [other.name for other in files.checkpoint], "a conversion must be found again"


def test_no_two_sets_of_weights_have_a_file_of_one_name() -> None:
    """In a models folder without folders of the scorers' own, a file would be taken for another's."""
    names: dict[str, str] = {}
    for files in EVERY:
        for form in files.checkpoint:
            assert names.setdefault(form.name, files.folder) == files.folder, form.name


def test_the_download_size_is_that_of_the_file_fetched(files: WeightsCard) -> None:
    form = next((form for form in files.checkpoint if form.repository or form.address), None)
    if form is not None and form.size is not None:
        assert files.download_size == form.size


def test_variants_of_one_model_share_their_files() -> None:
    settings = WeightSettings()
    first, second = CARDS["MPS"], CARDS["MPS-0.3"]
    assert first.checkpoint == second.checkpoint
    assert target_folder(first, settings) == target_folder(second, settings)
    assert target_folder(CARDS["HPSv2"], settings) != target_folder(CARDS["HPSv2.1"], settings)


def test_missing_weights_are_asked_for_by_name_and_place(files: WeightsCard, tmp_path: Path) -> None:
    if bundled_folder(files) is not None:
        assert find_weights(files, WeightSettings()) is not None
        return
    with pytest.raises(WeightsError) as caught:
        resolve(files, WeightSettings(folders=(tmp_path,), allow_download=False))
    text = str(caught.value)
    form = next((form for form in files.checkpoint if form.repository), None)
    form = form or next(form for form in files.checkpoint if form.address)
    where = f"huggingface.co/{form.repository}" if form.repository else form.address
    assert form.name in text and where in text and str(tmp_path / files.folder) in text


def test_a_file_with_only_an_address_is_never_fetched_but_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"on no hub .*https://storage\.googleapis\.com/.*model_large\.pth"
    ):
        resolve(CARDS["BLIP"], WeightSettings(folders=(tmp_path,)))
    assert not (tmp_path / "BLIP").exists()


def test_cards_cannot_be_changed(card: ScorerCard) -> None:
    with pytest.raises(AttributeError):
        card.id = "other"  # type: ignore[misc]
    assert replace(card, id="other").id == "other" and card.id != "other"


def test_a_file_without_a_remote_name_has_its_own() -> None:
    assert WeightFile("a.pt").path_in_repository == "a.pt"
    assert WeightFile("a.pt", remote_name="b.pt").path_in_repository == "b.pt"
