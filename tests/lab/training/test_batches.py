"""What is learnt from rankings of several people, and what is kept of pictures between epochs."""

from __future__ import annotations

import math

import pytest
import torch

from imagereward_lab.data.ranking import Ranking
from imagereward_lab.training.batches.examples import examples_of, targets_of
from imagereward_lab.training.batches.packing import together
from imagereward_lab.training.batches.pictures import PictureReader
from imagereward_lab.training.losses import Objective, make_objective
from tests.support.rankings import SPEC, Drawn, make_trainer, rankings

PEOPLE = [
    Ranking("a", ("1", "2", "3"), (1, 2, 3), annotator="ann"),
    Ranking("a", ("3", "2", "1"), (3, 1, 1), annotator="bob"),
    Ranking("a", ("2", "1", "3"), (), best=1, annotator="cy"),
    Ranking("b", ("4", "5"), (2, 1), annotator="ann"),
]


def test_people_who_ranked_the_same_pictures_become_shares_of_choices():
    found = examples_of(PEOPLE, make_objective("soft"), joined=True)
    assert [len(each.images) for each in found.kept] == [3, 2] and found.sizes == (3, 1)
    shares = found.kept[0].preferences
    assert found.kept[0].images == ("1", "2", "3")
    assert shares[0][1] == pytest.approx((1 + 0.5 + 1) / 3), "ann and cy prefer 1 to 2, to bob they are alike"
    assert shares[1][2] == pytest.approx(1.0) and shares[2][1] == pytest.approx(0.0), (
        "cy did not compare them"
    )
    assert math.isnan(shares[0][0]) and found.kept[1].preferences == ()
    targets = targets_of(found.kept)
    assert targets.preferences is not None and targets.preferences.shape == (2, 3, 3)
    objective = make_objective("soft")
    rewards = torch.tensor([[0.5, 0.0, -1.0], [0.3, 0.9, 0.0]])
    expected = [
        -(p * math.log(1 / (1 + math.exp(-d))) + (1 - p) * math.log(1 / (1 + math.exp(d))))
        for p, d in ((2.5 / 3, 0.5), (1.0, 1.5), (1.0, 1.0), (0.0, -0.6))
    ]
    assert float(objective.mean_of(rewards, targets)) == pytest.approx(sum(expected) / 4)


def test_a_batch_is_of_pairs_whatever_the_loss_counts():
    several = rankings(4, size=5)
    sizes = {
        loss: examples_of(several, make_objective(loss)).sizes
        for loss in ("pairwise", "plackett-luce", "soft", "davidson")
    }
    assert set(sizes.values()) == {(10, 10, 10, 10)}


def test_one_long_ranking_does_not_make_all_others_long():
    """A folder with hundreds of pictures of one prompt, beside many of few: padded to it they would fill the memory."""
    long = Ranking("long", tuple(map(str, range(600))), tuple(range(1, 601)))
    several = [long, *rankings(300, size=3), Ranking("b", ("4", "5"), (2, 1))]
    largest = []

    class Counting(Objective):
        def sizes(self, targets):
            largest.append(targets.ranks.numel() * targets.ranks.shape[1])
            return super().sizes(targets)

    found = examples_of(several, Counting(make_objective().loss))
    assert found.sizes == (600 * 599 // 2, *[3] * 300, 1)
    assert max(largest) <= 1_000_000 and len(largest) < 10


def test_ties_are_counted_among_what_was_judged():
    found = examples_of([*PEOPLE, Ranking("c", ("1", "2", "3"), (1, 1, 0))], make_objective())
    assert (found.ties, found.pairs) == (2, 3 + 3 + 2 + 1 + 1)
    assert found.left_out == 1, "the one with a tie alone"


@pytest.mark.parametrize(
    "settings", [{"loss": "soft"}, {"loss": "plackett-luce", "mean": "rankings"}, {"precision": "bf16"}]
)
def test_other_losses_and_half_precision_train_too(tmp_path, settings):
    people = [*rankings(6), *rankings(6)]
    trainer = make_trainer(tmp_path, learn=people, epochs=4, batch_pairs=18, **settings)
    if "loss" in settings and settings["loss"] == "soft":
        assert len(trainer.training.examples.kept) == 6
    record = trainer.run()
    assert record.validation_loss[-1] < record.validation_loss[0]


def test_a_picture_is_read_again_only_where_nothing_is_kept_of_it():
    class Kept:
        def __init__(self):
            self.states = {}

        def read(self, digest):
            return self.states.get(digest)

    images, kept = Drawn(missing=["9"]), Kept()
    reader = PictureReader(images, SPEC, 1, kept)
    for _ in range(2):
        with reader.pool() as pool:
            found = reader.take(reader.request(pool, ["1", "2", "1", "9"]))
        assert list(found) == ["1", "2"]
        kept.states = {found["1"].digest: torch.ones(3)}
    assert images.opened == ["1", "2", "9", "2"], "what is missing is not looked for again"
    with reader.pool() as pool:
        found = reader.take(reader.request(pool, ["1"]))
    assert found["1"].pixels is None and torch.equal(found["1"].states, torch.ones(3))
    assert len(images.opened) == 4


def test_rankings_of_the_same_pictures_share_a_batch_and_are_encoded_once(tmp_path):
    """Four people's rankings of each of six tasks: in every epoch every picture is in one batch alone."""
    people = [each for _ in range(4) for each in rankings(6)]
    trainer = make_trainer(tmp_path, learn=people, batch_pairs=12)
    for epoch in range(3):
        parts = [part for step in trainer.training.steps(epoch) for part in step]
        assert [len(part.ranks) for part in parts] == [4] * 6
        assert [len(part.pixels) for part in parts] == [3] * 6
    first, second = (
        [part.pixels for step in trainer.training.steps(epoch) for part in step] for epoch in (0, 1)
    )
    assert not all(torch.equal(one, two) for one, two in zip(first, second)), "the order differs by epoch"


def test_more_rankings_of_the_same_pictures_than_a_batch_holds_are_parted():
    named = [("a", "b", "c")] * 5 + [("d", "e")]
    assert together(named, [3, 3, 3, 3, 3, 1], 7) == [[0, 1], [2, 3], [4], [5]]
    assert together([("a", "b"), ("b", "a")], [28, 28], 20) == [[0], [1]]
