"""Own checkpoints beside registered scorers, in blends and in libraries; and heads that tell no pictures apart."""

from __future__ import annotations

import logging
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import imagereward_core as RM
from imagereward_core.errors import UnknownScorerError, WeightsError
from imagereward_core.library.library import Library
from imagereward_core.library.store.records import ScorerKey
from imagereward_core.library.stored_panel import stored_panel
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.meaning import constant_warning, explain
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.manifest import sha256_of
from tests.support.tiny import TINY, write_flat_checkpoint, write_own_checkpoint
from tests.support.tiny_registry import tiny_registry

BASE = "ImageReward-v1.0"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tiny_registry(tmp_path / "models", monkeypatch)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        image = Image.effect_noise((50, 40), 40 + 30 * number).convert("RGB")
        image.save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a cat {number}")
    return folder


def own(settings, name="mine.safetensors", seed=5):
    return write_own_checkpoint(settings.folders[0] / name, seed)


def maker(settings):
    return Maker(LocalRuntime("cpu", "fp32"), settings)


@pytest.mark.parametrize("way", ["path", "file name", "id"])
def test_an_own_checkpoint_has_an_id_of_its_own_whatever_way_it_is_named(settings, pictures, way):
    path = own(settings)
    name = {"path": str(path), "file name": path.name, "id": "MINE"}[way]
    scorer = maker(settings).make(name)
    scores = scorer.score([pictures / "0.png"], "a cat")
    assert scores.scorer == "mine" and scores.distribution is None
    assert scores.revision != maker(settings).make(BASE).revision
    assert (
        "typical" in explain(scorer.card, scores.values[0])
        and "not the published" in Panel(scorer).warnings()[0]
    )


@pytest.mark.parametrize("member", ["mine", "mine.safetensors"])
def test_it_can_be_blended_with_what_it_was_taught_from(settings, pictures, member):
    own(settings)
    blend = maker(settings).make(f"{BASE}=0.5,{member}=0.5@rank")
    assert [each.card.id for each in blend.members] == [BASE, "mine"]
    files = sorted(pictures.glob("*.png"))
    result = Panel(blend).judge(Panel(blend).score(files, "a cat"))
    assert len({each.scorer for each in result.beside}) == 2 and "mine is a checkpoint" in result.remark
    assert maker(settings).make(f"{BASE}=1,{member}=1@weighted").card.typical_range is None


def test_an_unknown_name_lists_own_checkpoints_too(settings):
    own(settings)
    with pytest.raises(UnknownScorerError, match="demo, mine or the path"):
        maker(settings).make("nobody")


def test_scores_kept_under_what_earlier_versions_called_the_same_weights_stay_valid(
    settings, pictures, tmp_path
):
    path = own(settings)
    made = {name: maker(settings).make(name) for name in (BASE, "mine")}
    base_file = settings.folders[0] / BASE / "ImageReward.safetensors"
    with Library.open(tmp_path / "store") as library:
        for scorer in made.values():
            library.scan([pictures], Panel(scorer))
        with library.database.writing() as connection:  # as an earlier version would have kept them
            change = "UPDATE scorers SET scorer = ?, revision = ? WHERE scorer = ?"
            connection.execute(change, (BASE, sha256_of(path)[:12], "mine"))
            change += " AND revision = ?"
            row = (BASE, sha256_of(base_file)[:12], BASE, made[BASE].revision)
            connection.execute(change, row)
        for scorer in made.values():
            scorer.tower.encode = lambda _: pytest.fail("scored again")
            library.scan([pictures], Panel(scorer))
        assert {(key.scorer, key.revision) for key in library.keys()} == {  # noqa: SIM118
            (name, scorer.revision) for name, scorer in made.items()
        }
        assert stored_panel(library, "mine").card.own


def test_scores_of_other_weights_with_the_same_claim_are_not_taken_over(settings, pictures, tmp_path):
    claim = {"source_sha256": "b" * 64}
    paths = [own(settings, f"{number}/mine.safetensors", number) for number in range(2)]
    for path in paths:
        save_file({name: tensor.clone() for name, tensor in load_file(path).items()}, path, claim)
    made = [maker(settings).make(path) for path in paths]
    assert made[0].card.id == made[1].card.id and made[0].revision != made[1].revision
    with Library.open(tmp_path / "store") as library:
        library.scan([pictures], Panel(made[0]))
        with library.database.writing() as connection:
            connection.execute("UPDATE scorers SET scorer = ?, revision = ?", (BASE, "b" * 12))
        library.scan([pictures], Panel(made[1]))
        assert ScorerKey(BASE, "b" * 12, "reference") in library.keys()  # noqa: SIM118
        assert len(library.keys()) == 2


@pytest.mark.parametrize("all_zero", [False, True])
def test_a_flat_head_is_told_when_it_is_loaded(settings, pictures, caplog, all_zero):
    path = write_flat_checkpoint(settings.folders[0] / "flat.safetensors", all_zero)
    scorer = maker(settings).make(path)
    assert constant_warning("flat") in caplog.messages
    result = Panel(scorer).judge(Panel(scorer).score(sorted(pictures.glob("*.png")), "a cat"))
    assert len(set(result.main)) == 1 and result.warnings[-1] == constant_warning("flat")


def test_one_number_for_different_pictures_is_told_and_copies_of_one_picture_are_not(
    settings, pictures, caplog
):
    scorer = maker(settings).make("Aesthetic")
    scorer.head = lambda features: torch.zeros(len(features), dtype=torch.float64)
    files = sorted(pictures.glob("*.png"))
    copies = []
    for number in range(4):
        copies.append(pictures / f"copy {number}.png")
        copies[-1].write_bytes(files[0].read_bytes())
    scorer.score(copies, "")
    assert not scorer.warnings() and not caplog.messages
    scorer.score(files, "")
    scorer.score(files, "")
    assert scorer.warnings() == [constant_warning("Aesthetic")] == caplog.messages
    sound = maker(settings).make("Aesthetic")
    sound.score(files, "")
    assert not sound.warnings()


def test_warnings_reach_the_log_of_every_host(settings, caplog):
    caplog.set_level(logging.WARNING)
    maker(settings).make(write_flat_checkpoint(settings.folders[0] / "flat.safetensors"))
    assert [record.name.split(".")[0] for record in caplog.records] == ["imagereward_core"]


def test_two_checkpoints_of_one_name_and_different_weights_are_not_shown_as_one(settings, pictures):
    for number in range(2):
        write_own_checkpoint(settings.folders[0] / str(number) / "twin.safetensors", number)
    shutil.copy(settings.folders[0] / "0" / "twin.safetensors", settings.folders[0] / "twin.safetensors")
    one, other, copy = (
        maker(settings).make(settings.folders[0] / place / "twin.safetensors") for place in ("0", "1", "")
    )
    with pytest.raises(WeightsError, match="both called twin"):
        Panel(one, [other])
    assert Panel(one, [copy]).scorers == (one,)


def test_a_panel_knows_whether_its_numbers_have_percentiles(settings):
    own(settings)
    whole = Maker(LocalRuntime("cpu", "fp32"), settings, whole_picture=True)
    made = maker(settings)
    names = (BASE, "mine", f"{BASE}=1,mine=1@rank")
    assert [Panel(made.make(name)).has_percentiles for name in names] == [True, False, False]
    assert (
        not Panel(whole.make(BASE)).has_percentiles
        and Panel(made.make(BASE), [made.make("mine")]).has_percentiles
    )


def test_load_says_that_a_checkpoint_is_no_published_one(settings, caplog, monkeypatch):
    path = own(settings)
    monkeypatch.setattr("imagereward_core.model.network_config", lambda _: TINY)
    caplog.set_level(logging.INFO)
    assert RM.load(path, device="cpu", download_root=settings.folders[0]).scorer.card.own
    assert "not the published ImageReward-v1.0" in caplog.text
