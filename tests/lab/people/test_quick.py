"""Quick questions put drawn scenes in the order of their true worth, and chosen questions do so better than random ones.

At full size, 100 scenes and 20 seeds, as ``python -m benchmarks.quick_ranking``.
"""

from __future__ import annotations

import numpy as np
import pytest

from imagereward_core.metrics import spearman
from imagereward_core.ranking import QuickRanking
from imagereward_lab.people.annotator import Annotator
from imagereward_lab.people.quick import answer, answered, at_random, most_telling
from imagereward_lab.people.scenes import scenes_of_one_prompt

PERSON = Annotator(name="a", noise=0.5, step=0.3)
SCENES = 30


def correlations(choose, size, questions, seeds):
    found = []
    for seed in range(seeds):
        task, _ = scenes_of_one_prompt(SCENES, size=16, seed=seed)
        *_, last = answered(task, PERSON, choose, questions=questions, size=size, seed=seed)
        assert len(last.comparisons) == questions
        found.append(spearman(last.fit.values, np.array(task.qualities)))
    return np.array(found)


def test_three_questions_a_picture_give_the_true_order_and_more_of_it_than_random_ones():
    chosen = correlations(most_telling, 4, 3 * SCENES, seeds=4)
    assert chosen.mean() >= 0.9
    few, by_chance = (correlations(choose, 4, SCENES, seeds=30) for choose in (most_telling, at_random))
    more = few - by_chance
    assert more.mean() > 2 * more.std() / len(more) ** 0.5


def test_all_scenes_are_of_one_prompt_and_the_same_for_equal_arguments():
    task, pictures = scenes_of_one_prompt(25, size=16, seed=3)
    again, drawn = scenes_of_one_prompt(25, size=16, seed=3)
    assert task == again and [each.tobytes() for each in pictures] == [each.tobytes() for each in drawn]
    assert len(task.images) == len(set(task.images)) == len(pictures) == 25 and len(set(task.kinds)) > 5


@pytest.mark.parametrize("step", [0.0, 100.0])
def test_a_person_ties_what_looks_the_same_and_nothing_else(step):
    task, _ = scenes_of_one_prompt(9, size=16)
    rng = np.random.default_rng(0)
    person = Annotator(name="a", noise=0.01, step=step)
    images = QuickRanking(images=task.images).question(4).images
    said = answer(person, task, images, rng)
    if step:
        assert said.winner is None
    else:
        assert said.winner == max(images, key=lambda image: task.qualities[task.images.index(image)])
