"""What the towers are taught before they rank: which words of a prompt a picture contradicts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from imagereward_core.demo.scenes import RELATIONS, Scene, Thing, is_held_out, random_scene
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_lab.demo_model.grounding import asked, grounding, sides, wrong_words
from imagereward_lab.demo_model.schedule import demo_config
from imagereward_lab.demo_model.stages import SPEC, TOKEN_LIMIT
from imagereward_lab.demo_model.teaching import teach
from imagereward_lab.demo_model.vocabulary import vocabulary
from imagereward_lab.training.initialise import initialise

PAIR = Scene(Thing("star", "red"), "gray", other=Thing("square", "blue"), relation="left of")


@pytest.fixture(scope="module")
def encode(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "vocab.txt"
    path.write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    encoder = PromptEncoder(path, TOKEN_LIMIT)
    return lambda prompt: encoder(prompt).ids


def marked(wanted: Scene, shown: Scene, encode, opening: str = "") -> list[str]:
    """The words of the prompt whose first piece is marked wrong."""
    ids, marks = wrong_words(wanted, shown, opening, encode)
    assert len(ids) == len(marks) and marks[-1] == -1
    found, place = [], 1
    for word in (opening + wanted.prompt).split():
        if marks[place] == 1:
            found.append(word)
        place += len(encode(word)) - 2
    return found


def test_nothing_is_marked_where_picture_and_prompt_agree(encode):
    assert marked(PAIR, PAIR, encode, "a picture of ") == []
    assert wrong_words(PAIR, PAIR, "", encode)[1][0] == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"relation": "below"}, ["left", "of"]),
        ({"background": "pink"}, ["gray"]),
        ({"thing": Thing("ring", "red")}, ["star"]),
        ({"other": Thing("square", "green")}, ["blue"]),
        ({"thing": Thing("star", "blue"), "other": Thing("square", "red")}, ["red", "blue"]),
    ],
)
def test_exactly_the_contradicted_words_are_marked(changes, words, encode):
    shown = replace(PAIR, **changes)
    assert marked(PAIR, shown, encode) == words
    assert wrong_words(PAIR, shown, "a drawing of ", encode)[1][0] == 1


def test_a_wrong_number_marks_the_article_or_the_number(encode):
    two = Scene(Thing("cross", "orange"), "black", count=2)
    assert marked(two, replace(two, count=3), encode) == ["two"]
    assert marked(replace(two, count=1), two, encode) == ["an"]


def sided(wanted: Scene, shown: Scene, encode, opening: str = "") -> dict[str, str]:
    """The words of the prompt that are told a side."""
    ids, _ = wrong_words(wanted, shown, opening, encode)
    told = sides(wanted, shown, opening, encode)
    assert len(told) == len(ids) and told[0] == told[-1] == -100
    found, place = {}, 1
    for word in (opening + wanted.prompt).split():
        pieces = len(encode(word)) - 2
        assert len(set(told[place : place + pieces])) == 1
        if told[place] != -100:
            found[word] = RELATIONS[told[place]]
        place += pieces
    return found


def test_words_of_two_things_are_told_the_side_on_which_each_is_drawn(encode):
    right = {"red": "left of", "star": "left of", "blue": "right of", "square": "right of"}
    assert sided(PAIR, PAIR, encode, "a picture of ") == right
    # The prompt may put it otherwise: what counts is where the thing is.
    assert sided(replace(PAIR, relation="below"), PAIR, encode) == right
    turned = replace(PAIR, thing=PAIR.other, other=PAIR.thing)
    assert sided(turned, PAIR, encode) == right
    above = {"red": "above", "star": "above", "blue": "below", "square": "below"}
    assert sided(PAIR, replace(PAIR, relation="above"), encode) == above


def test_words_for_what_is_not_there_are_told_no_side(encode):
    wanted = replace(PAIR, thing=Thing("ring", "red"))
    assert sided(wanted, PAIR, encode) == {"blue": "right of", "square": "right of"}
    assert sided(PAIR, Scene(Thing("star", "red"), "gray"), encode) == {}
    assert sided(Scene(Thing("star", "red"), "gray"), PAIR, encode) == {"red": "left of", "star": "left of"}


def test_opposites_are_right_or_wrong_in_nothing_but_having_changed_places():
    rng = random.Random(3)
    shown = replace(PAIR, background="black")
    opposite = replace(shown, relation="right of")
    assert not is_held_out(shown) and not is_held_out(opposite)
    found = [asked(shown, rng, place_weight=2, opposites=1.0) for _ in range(200)]
    right = found.count(shown)
    assert 60 < right < 140
    assert right + found.count(opposite) == 200


def test_prompts_asked_for_are_never_held_out_and_wrong_as_often_as_said():
    rng = random.Random(2)
    right = 0
    for _ in range(400):
        shown = random_scene(rng)
        wanted = asked(shown, rng, place_weight=2)
        assert not is_held_out(wanted)
        right += wanted == shown
    assert 60 < right < 160


@pytest.mark.parametrize("sides_weight", [0.0, 1.0])
def test_grounding_trains_both_towers_and_nothing_else(encode, sides_weight):
    network = RewardNetwork(demo_config(32, 2, 2))
    initialise(network, 0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    lesson = grounding(network, SPEC, encode, seed=1, scenes=8, batch=4, sides_weight=sides_weight)
    share = teach(lesson, seed=1, steps=3, learning_rate=1e-3, report=lambda line: None)
    assert 0 <= share <= 1
    changed = {
        name.split(".")[1] for name, value in network.state_dict().items() if not value.equal(before[name])
    }
    assert changed == {"visual_encoder", "text_encoder"}
