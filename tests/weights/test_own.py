"""Checkpoints of a user's own: told by their layout, called by their names, and nothing published is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from imagereward_core.errors import WeightsError
from imagereward_core.weights.cards import CARDS
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.own import find_by_name, is_official, own_card, own_checkpoints
from tests.support.tiny import write_own_checkpoint
from tests.support.weights.fakes import tiny_state

BASE = CARDS["ImageReward-v1.0"]


def write_card(checkpoint: Path, content: object) -> Path:
    path = checkpoint.with_name(checkpoint.stem + ".card.json")
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "scorer"),
    [
        ("my tune.safetensors", "my tune"),
        ("imagereward-v1.0.pt", "imagereward-v1.0-own"),
        ("PickScore.pt", "PickScore-own"),
        ("a,b=1@rank.pt", "a_b_1_rank"),
        ("con.pt", "_con"),
        ("7.pt", "_7"),
        ("zwei\u0007.pt", "zwei_"),
        ("x" * 200 + ".pt", "x" * 80),
        ("...pt", "checkpoint"),
    ],
)
def test_an_own_checkpoint_is_called_by_its_file_and_by_no_registered_name(name: str, scorer: str) -> None:
    card = own_card(Path("nowhere") / name)
    assert card.id == scorer and card.id.casefold() not in {known.casefold() for known in CARDS}
    assert card.own and card.distribution is None and card.typical_range is None
    assert card.image == BASE.image and card.tokenizer == BASE.tokenizer and card.paper == ""


def test_the_published_name_stands_for_the_published_weights() -> None:
    assert is_official(Path("/x/ImageReward.pt")) and is_official(Path("imagereward.safetensors"))
    assert not is_official(Path("ImageReward-tuned.pt"))


def test_its_card_says_what_its_maker_knows(tmp_path: Path) -> None:
    path = write_own_checkpoint(tmp_path / "v2.pt")
    fields = {
        "id": "Kitchen",
        "title": "Kitchens",
        "typical_range": [-1, 3],
        "distribution": {"source": "my 500 pictures", "mean": 0.5, "std": 2},
        "notes": ["Taught on kitchens."],
        "later": "fields of a later version are passed over",
    }
    write_card(path, fields)
    card = own_card(path)
    assert (card.id, card.title, card.typical_range) == ("Kitchen", "Kitchens", (-1.0, 3.0))
    assert card.distribution is not None and card.distribution.percentile(0.5) == pytest.approx(50)
    assert "Taught on kitchens." in card.notes
    found = own_checkpoints(WeightSettings(folders=(tmp_path,)))
    assert list(found) == ["kitchen"] and found["kitchen"].path == path


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "[" * 100_000,
        " " * 70_000,
        {"id": "PickScore"},
        {"id": "a/b"},
        {"title": "line\nbreak"},
        {"title": 3},
        {"typical_range": [3, -1]},
        {"typical_range": [0, "1"]},
        {"distribution": {"mean": 0, "std": 0}},
        {"distribution": {"mean": 0, "std": 1, "quantiles": [2, 1]}},
        '{"distribution": {"mean": NaN, "std": 1}}',
        {"notes": "one"},
    ],
)
def test_a_card_that_cannot_be_used_is_named_and_hides_no_other(tmp_path: Path, content: object) -> None:
    path = write_own_checkpoint(tmp_path / "bad.safetensors")
    write_own_checkpoint(tmp_path / "good.safetensors")
    write_card(path, content)
    with pytest.raises(WeightsError, match=r"bad\.card\.json cannot be used"):
        own_card(path)
    assert list(own_checkpoints(WeightSettings(folders=(tmp_path,)))) == ["good"]


def test_only_what_has_the_layout_is_listed_and_the_safe_form_comes_first(tmp_path: Path) -> None:
    for name in ("mine.pt", "mine.safetensors", "ImageReward.pt", "ImageReward-v1.0/beside.pth"):
        write_own_checkpoint(tmp_path / name)
    save_file(tiny_state(), tmp_path / "other layout.safetensors")
    (tmp_path / "page.pt").write_bytes(b"<html>")
    settings = WeightSettings(folders=(tmp_path, tmp_path / "not there"))
    found = {own.card.id: own.path.name for own in own_checkpoints(settings).values()}
    assert found == {"mine": "mine.safetensors", "beside": "beside.pth"}
    assert find_by_name("MINE", settings) == tmp_path / "mine.safetensors"
    assert find_by_name("mine.pt", settings) == tmp_path / "mine.pt"
    assert find_by_name("../mine.pt", settings) is None and find_by_name("nobody", settings) is None
