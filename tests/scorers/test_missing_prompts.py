"""A missing prompt costs a picture the scores of those who read prompts, and no other picture anything."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imagereward_core.errors import PromptError
from imagereward_core.metadata.missing import MissingPrompt
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.base import objection
from imagereward_core.scorers.factory import Maker
from imagereward_core.weights.cards import CARDS

PICTURES = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue", "red")]


@pytest.fixture(scope="module")
def demo():
    return Maker(LocalRuntime("cpu", "fp32")).make("demo")


def test_a_missing_prompt_is_nan_for_that_picture_alone(demo):
    whole = demo.score(PICTURES, ["a", "b", "", "c"])
    part = demo.score(PICTURES, ["a", None, "", MissingPrompt("nobody wrote one")])
    assert part.failures == {1: "it has no prompt", 3: "nobody wrote one"}
    assert np.allclose(part.values[[0, 2]], whole.values[[0, 2]]), "empty text is a prompt that somebody gave"
    assert part.prompts == ("a", "", "", "")


def test_one_missing_prompt_for_all_scores_nothing_and_fails_nowhere(demo):
    scores = demo.score(PICTURES, None)
    assert set(scores.failures) == {0, 1, 2, 3}


def test_a_damaged_picture_says_so_before_its_missing_prompt(demo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    scores = demo.score([PICTURES[0], tmp_path / "bad.png"], [None, None])
    assert scores.failures[0] == "it has no prompt" and "bad.png" in scores.failures[1]


@pytest.mark.parametrize("prompts", [["a"], ["a", None, None, None, None], [1, "a", "b", "c"]])
def test_a_list_that_does_not_fit_is_still_an_error(demo, prompts):
    with pytest.raises(PromptError):
        demo.score(PICTURES, prompts)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_only_scorers_that_read_prompts_object(card):
    assert bool(objection(card, None)) == card.needs_prompt
    assert not objection(card, "") and not objection(card, "a cat")
