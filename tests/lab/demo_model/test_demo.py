"""The scenes are what their prompts say, groups are ranked as described, and the embedded model is what its facts say."""

from __future__ import annotations

import hashlib
import json
import random
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.cli.main import main
from imagereward_core.demo.degrade import FLAWS
from imagereward_core.demo.scenes import (
    DIFFERENCES,
    Scene,
    Thing,
    change,
    draw,
    is_held_out,
    possible_differences,
    random_scene,
    scene_where,
)
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.weights.bundled import FACTS_FILE, MODEL_FOLDER
from imagereward_core.weights.cards import get_card
from imagereward_lab.data.readers import open_rankings
from imagereward_lab.demo_model.dataset import FLAWED, MATCH, UNRELATED, WRONG, held_out_group
from imagereward_lab.demo_model.families import Mixture, family, write_families
from imagereward_lab.demo_model.measure import kind_of_pair, measure
from imagereward_lab.demo_model.vocabulary import vocabulary
from imagereward_lab.training.batches.examples import examples_of
from imagereward_lab.training.batches.pictures import PictureReader
from imagereward_lab.training.batches.rankings import RankingBatches
from imagereward_lab.training.losses import make_objective

SPEC = ImageSpec(size=64)


def test_prompts_read_like_sentences():
    star, square = Thing("star", "red"), Thing("square", "blue")
    assert (
        Scene(star, "gray", other=square, relation="left of").prompt
        == "a red star left of a blue square on a gray background"
    )
    assert (
        Scene(Thing("circle", "green"), "white", count=3).prompt
        == "three green circles on a white background"
    )
    assert Scene(Thing("cross", "orange"), "black").prompt == "an orange cross on a black background"
    assert (
        Scene(Thing("cross", "orange"), "black", count=2).prompt == "two orange crosses on a black background"
    )


@given(st.integers(0, 10**6))
def test_a_changed_scene_differs_in_exactly_the_named_respect(seed):
    rng = random.Random(seed)
    scene = random_scene(rng)
    for difference in possible_differences(scene):
        other = change(scene, difference, rng)
        assert other != scene
        same_words = {
            "colour": (other.count, other.relation, other.thing.shape)
            == (scene.count, scene.relation, scene.thing.shape),
            "shape": (other.count, other.relation, other.thing.colour)
            == (scene.count, scene.relation, scene.thing.colour),
            "count": (other.thing, other.background) == (scene.thing, scene.background),
            "place": (other.thing, other.other, other.background)
            == (scene.thing, scene.other, scene.background),
        }
        assert same_words[difference]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_as_many_things_are_drawn_as_the_prompt_says(count):
    ndimage = pytest.importorskip("scipy.ndimage")
    for seed in range(20):
        scene = Scene(Thing("circle", "blue"), "white", count=count)
        pixels = np.asarray(draw(scene, random.Random(seed), 128)).astype(int)
        blue = pixels[..., 2] - pixels[..., 0] > 80
        assert ndimage.label(blue)[1] == count


@pytest.mark.parametrize(
    ("relation", "axis", "sign"), [("left of", 1, -1), ("right of", 1, 1), ("above", 0, -1), ("below", 0, 1)]
)
def test_things_lie_where_the_prompt_says(relation, axis, sign):
    for seed in range(20):
        scene = Scene(Thing("star", "red"), "white", other=Thing("square", "blue"), relation=relation)
        pixels = np.asarray(draw(scene, random.Random(seed), 128)).astype(int)
        red = np.argwhere(pixels[..., 0] - pixels[..., 2] > 80).mean(axis=0)
        blue = np.argwhere(pixels[..., 2] - pixels[..., 0] > 80).mean(axis=0)
        assert sign * (red[axis] - blue[axis]) > 20


@pytest.mark.parametrize("name", list(FLAWS))
def test_flaws_change_the_picture_and_keep_its_size(name):
    image = draw(Scene(Thing("ring", "purple"), "pink"), random.Random(1), 96)
    flawed = FLAWS[name](image, random.Random(2))
    assert flawed.size == image.size and flawed.mode == "RGB"
    assert np.abs(np.asarray(flawed).astype(int) - np.asarray(image).astype(int)).mean() > 0.5


def test_drawing_follows_from_the_seed():
    one, two = held_out_group(5, SPEC), held_out_group(5, SPEC)
    assert torch.equal(one.pixels, two.pixels) and one.prompt == two.prompt
    assert not torch.equal(one.pixels[0], held_out_group(6, SPEC).pixels[0])


def test_held_out_groups_hold_every_kind():
    group = held_out_group(0, SPEC)
    assert group.ranks[0] == MATCH and group.kinds[0] == "match"
    assert {
        kind for kind, rank in zip(group.kinds, group.ranks, strict=True) if rank == FLAWED and kind in FLAWS
    } == set(FLAWS)
    assert {
        kind
        for kind, rank in zip(group.kinds, group.ranks, strict=True)
        if rank == WRONG and kind not in FLAWS
    } <= set(DIFFERENCES)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    return open_rankings(write_families(folder, 12, 3, SPEC, seed=3))


def is_held_out_text(prompt):
    scene = prompt.removeprefix("a picture of ").removeprefix("a drawing of ")
    return zlib.crc32(scene.encode()) % 10 == 0


def test_training_never_sees_a_held_out_prompt_and_is_judged_by_them_alone(families):
    held_out = {split: set() for split in ("train", "validation")}
    for ranking in families.rankings:
        held_out[ranking.split].add(is_held_out_text(ranking.prompt))
    assert held_out == {"train": {False}, "validation": {True}}
    assert is_held_out(scene_where(random.Random(1), held_out=True))


def test_families_are_rankings_that_the_check_finds_in_order(families, tmp_path, capsys):
    assert not families.notes and len(families.rankings) >= 12 * 3 + 3
    assert main(["rankings", "check", str(families.path)]) == 0
    again = write_families(tmp_path, 12, 3, SPEC, seed=3)
    assert again.read_bytes() == families.path.read_bytes(), "drawing follows from the seed"
    assert open_rankings(again).sha256() == families.sha256()


def test_in_a_family_a_picture_right_for_one_prompt_is_wrong_for_another(families):
    rows = [each for each in families.rankings if each.split == "train"]
    for first in range(0, len(rows), 3):
        group = rows[first : first + 3]
        assert len({each.images for each in group}) == 1
        for place, each in enumerate(group):
            assert each.ranks[place] == MATCH and each.ranks[(place + 1) % 3] == WRONG
            assert each.ranks[-2:] == (UNRELATED, UNRELATED) and not each.ties
            assert not {name.split("-")[0] for name in each.images[-2:]} & {each.images[0].split("-")[0]}


@pytest.mark.parametrize("flawed, of", [(4, 3), (2, 1)])
def test_flawed_pictures_are_of_the_first_scenes_as_the_mixture_says(flawed, of):
    scenes, members = family(
        random.Random(5), False, Mixture(place_weight=1, flawed=flawed, flawed_scenes=of)
    )
    shown = [scene for _, scene, spoilt in members if spoilt]
    assert len(shown) == flawed and set(shown) <= set(scenes[:of])
    assert len(members) == len(scenes) + flawed


def test_a_family_is_encoded_once_for_its_three_prompts(families):
    """The trainer's batches: what is stored is what the network sees, and rankings of the same pictures are together."""
    train = [each for each in families.rankings if each.split == "train"]
    examples = examples_of(train, make_objective())
    batches = RankingBatches(examples, PictureReader(families.images, SPEC), Wordless(), batch_pairs=400)
    seen = 0
    for epoch in range(2):
        for (part,) in batches.steps(epoch):
            assert len(part.pixels) <= 10 * len(part.ranks) / 3, "not one picture more than the families have"
            seen += len(part.ranks)
    assert seen == 2 * 36
    rng = random.Random("family 3 0")
    (_, members) = family(rng, False, Mixture())
    drawn = to_pixels(members[0][0], SPEC)
    stored = families.images.open(train[0].images[0])
    assert np.array_equal(to_pixels(stored, SPEC), drawn)


class Wordless:
    """What batches need of a network."""

    spec = SPEC

    def tokens(self, prompts):
        ids = torch.ones(len(prompts), 2, dtype=torch.int64)
        return ids, ids


def test_every_word_of_every_prompt_is_in_the_vocabulary():
    words = set(vocabulary())
    for seed in range(300):
        for word in random_scene(random.Random(seed)).prompt.split():
            assert word in words or word[:-1] in words or word[:-2] in words


def test_measuring_counts_right_pairs_by_kind():
    groups = [held_out_group(seed, SPEC) for seed in range(3)]
    perfect = measure(groups, lambda group: -torch.tensor(group.ranks, dtype=torch.float32))
    hopeless = measure(groups, lambda group: torch.tensor(group.ranks, dtype=torch.float32))
    blind = measure(
        groups, lambda group: torch.arange(len(group.ranks)) * 0.0 + 1e-9 * torch.rand(len(group.ranks))
    )
    assert perfect["accuracy"] == 1.0 and hopeless["accuracy"] == 0.0 and 0 < blind["accuracy"] < 1
    assert (
        kind_of_pair(MATCH, "blur") == "blur"
        and kind_of_pair(WRONG, "wrong and flawed") == "one fault over two"
    )


def test_the_embedded_weights_are_those_of_the_recorded_run():
    facts = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
    data = (MODEL_FOLDER / "demo.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == facts["sha256"] and len(data) == facts["size"] < 8_000_000
    assert (MODEL_FOLDER / "vocab.txt").read_text(encoding="utf-8").split() == vocabulary()
    card = get_card("demo")
    assert (
        f"{100 * facts['held_out']['accuracy']:.1f} %" in card.notes[0] and "not photographs" in card.summary
    )


def test_the_embedded_model_orders_held_out_pictures_as_recorded():
    """Scores fresh held-out groups through the whole scorer and compares with the accuracy its card claims."""
    facts = json.loads(FACTS_FILE.read_text(encoding="utf-8"))["held_out"]
    scorer = create_scorer("demo")

    def rewards(group):
        pictures = [tensor.permute(1, 2, 0).numpy() for tensor in group.pixels]
        return torch.from_numpy(scorer.score(pictures, group.prompt).values.copy())

    again = measure((held_out_group(90_000 + seed, SPEC) for seed in range(60)), rewards)
    assert facts["accuracy"] >= 0.95 and min(row["accuracy"] for row in facts["by_kind"].values()) >= 0.85
    assert again["accuracy"] == pytest.approx(facts["accuracy"], abs=0.03)
