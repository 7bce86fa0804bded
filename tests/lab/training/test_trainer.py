"""The trainer learns, keeps the best, stops where it should, and takes bad input for what it is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from imagereward_core.images.preprocess import normalize
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.training.batches.packing import pack, share_out
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.state.checkpoints import CHECKPOINT
from imagereward_lab.training.state.schedule import rate_at
from imagereward_lab.training.validation import batch_rewards, evaluate
from tests.support.full_disk import fill, small_disk
from tests.support.rankings import SPEC, Drawn, make_trainer, rankings, weights
from tests.support.tiny import TINY, telling


def test_training_learns_a_rule_that_needs_picture_and_prompt(tmp_path):
    trainer = make_trainer(
        tmp_path,
        learn=rankings(32),
        epochs=8,
        learning_rate=6e-3,
        clip_norm=1.0,
        batch_pairs=24,
        validations_per_epoch=1,
    )
    record = trainer.run()
    found = evaluate(trainer.trainee, trainer.validation, trainer.objective)
    assert found.accuracy > 0.9 and found.loss < 0.5
    assert found.loss == pytest.approx(min(record.validation_loss), abs=1e-6), (
        "the best state is the one kept"
    )
    assert record.best == (min(record.validation_loss), found.accuracy)
    assert not trainer.trainee.network.training


def test_rewards_of_a_batch_equal_the_plain_forward_pass(tmp_path):
    trainer = make_trainer(tmp_path, learn=[*rankings(2), *rankings(1, size=5, first=20)], batch_pairs=99)
    network = trainer.trainee.network.eval()
    telling(network)
    ((batch,),) = trainer.training.steps(0)
    with torch.no_grad():
        together = batch_rewards(trainer.trainee, batch)
        for row, place in (batch.ranks > 0).nonzero().tolist():
            pixels = normalize(batch.pixels[batch.members[row, place]][None], SPEC)
            states = network.text_states(
                batch.ids[row][None], batch.mask[row][None], network.encode_images(pixels)
            )
            torch.testing.assert_close(together[row, place], network.mlp(states)[0, 0], atol=1e-4, rtol=1e-4)
        assert not bool(together[batch.ranks == 0].any())


def test_every_picture_of_a_batch_is_encoded_once(tmp_path):
    same = [replace(each, annotator=str(person)) for each in rankings(2) for person in range(3)]
    trainer = make_trainer(tmp_path, learn=same, batch_pairs=99)
    ((batch,),) = trainer.training.steps(0)
    assert batch.pixels.shape[0] == 6 and batch.ranks.shape == (6, 3)
    halves = make_trainer(tmp_path, learn=same, batch_pairs=99, accumulate=2)
    assert [len(part.pixels) for part in next(halves.training.steps(0))] == [3, 3], (
        "shared pictures stay together"
    )


def test_batches_are_of_whole_rankings_and_nearly_full():
    sizes = [6, 10, 15, 28, 36, 3] * 40
    packed = pack(sizes, range(len(sizes)), 64)
    assert sorted(number for batch in packed for number in batch) == list(range(len(sizes)))
    filled = [sum(sizes[number] for number in batch) for batch in packed]
    assert max(filled) <= 64 and sum(filled[:-8]) / len(filled[:-8]) > 61
    assert pack([91, 3], [0, 1], 64) == [[0], [1]], "one that is too large goes alone"
    parts = share_out([0, 1, 2, 3], dict(enumerate(["ab", "ba", "c", "d"])), 3)
    assert sorted(map(sorted, parts)) == [[0, 1], [2], [3]]


def test_order_follows_from_seed_and_epoch_and_goes_on_at_any_step(tmp_path):
    trainer = make_trainer(tmp_path, learn=rankings(12))

    def order(data, epoch, first=0):
        return [batch.pixels.sum().item() for (batch,) in data.steps(epoch, first)]

    assert order(trainer.training, 0) == order(make_trainer(tmp_path, learn=rankings(12)).training, 0)
    assert order(trainer.training, 0) != order(trainer.training, 1)
    assert order(trainer.training, 1)[2:] == order(trainer.training, 1, 2)
    assert order(trainer.training, 0) != order(make_trainer(tmp_path, learn=rankings(12), seed=0).training, 9)


@pytest.mark.parametrize("images", [Drawn(missing=["1", "3"]), Drawn(nan=["1", "3"])])
def test_a_picture_that_cannot_be_read_is_left_out_with_its_reason(tmp_path, images):
    said = []
    trainer = make_trainer(
        tmp_path, learn=rankings(2), images=images, report=said.append, batch_pairs=99, epochs=3
    )
    ((batch,),) = trainer.training.steps(0)
    assert batch.pixels.shape[0] == 4 and (batch.ranks > 0).sum(1).tolist() == [2, 2]
    trainer.run()
    assert len(said) == 2, "each is told of once"
    assert sorted(line[:12] for line in said) == ["left out: 1:", "left out: 3:"]
    assert all(bool(torch.isfinite(each).all()) for each in weights(trainer).values())


def test_rankings_that_say_nothing_are_counted_and_nothing_is_no_training(tmp_path):
    alone = [Ranking("a", ("1",), (1,)), Ranking("b", ("1", "2"), (1, 1)), Ranking("c", ("1", "2"))]
    trainer = make_trainer(tmp_path, learn=[*alone, *rankings(2)])
    assert trainer.training.examples.left_out == 3 and len(trainer.training.examples.kept) == 2
    with pytest.raises(TrainingError, match="nothing to learn from"):
        make_trainer(tmp_path, learn=alone)
    with pytest.raises(TrainingError, match="at least one pair to judge by"):
        make_trainer(tmp_path, judge=alone).run()


def test_a_batch_of_which_nothing_can_be_read_is_passed_over(tmp_path):
    steps = []
    trainer = make_trainer(tmp_path, images=Drawn(missing=map(str, range(6))), batch_pairs=3, epochs=1)
    trainer.on_step = steps.append
    trainer.run()
    assert any(math.isnan(step.loss) and not step.pairs for step in steps)
    assert len(steps) == trainer.steps == trainer.step


@pytest.mark.parametrize(("epochs", "patience", "stop"), [(2, 0, 16), (26, 0, 200), (26, 3, 32)])
def test_a_network_that_does_not_learn_is_stopped(tmp_path, epochs, patience, stop):
    trainer = make_trainer(
        tmp_path,
        learn=rankings(8, size=2),
        epochs=epochs,
        batch_pairs=1,
        freeze=1.0,
        patience=patience,
        validations_per_epoch=1,
    )
    for parameter in trainer.trainee.network.mlp.parameters():
        torch.nn.init.zeros_(parameter)
    with pytest.raises(TrainingError, match="cannot tell pictures apart"):
        trainer.run()
    assert trainer.step == stop


def test_a_loss_that_is_no_number_stops_before_it_spoils_anything(tmp_path):
    trainer = make_trainer(tmp_path)
    with torch.no_grad():
        trainer.trainee.network.mlp.layers[0].bias[0] = math.inf
    before = weights(trainer)
    with pytest.raises(
        TrainingError, match="at step 1; expected a finite number. Check the weights it starts from"
    ):
        trainer.run()
    after = weights(trainer)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_training_ends_early_where_nothing_gets_better(tmp_path):
    trainer = make_trainer(
        tmp_path, learning_rate=0.3, epochs=30, patience=3, keep=True, validations_per_epoch=1, clip_norm=1.0
    )
    record = trainer.run()
    assert record.stopped and len(record.steps) < 30 and record.since_best == 3
    again = make_trainer(
        tmp_path, learning_rate=0.3, epochs=30, patience=3, keep=True, validations_per_epoch=1, clip_norm=1.0
    )
    again.resume()
    assert again.run().steps == record.steps, "what has ended is not gone on with"
    assert all(torch.equal(a, b) for a, b in zip(weights(trainer).values(), weights(again).values()))


def test_a_full_disk_at_a_checkpoint_leaves_the_earlier_one(tmp_path):
    with small_disk(tmp_path / "disk", 8_000_000) as disk:
        trainer = make_trainer(disk, keep=True, epochs=4, validations_per_epoch=1)

        def full(record):
            if len(record.steps) == 2:
                fill(disk, 300_000)

        trainer.on_validation = full
        with pytest.raises(
            TrainingError, match="the disk is full.*the earlier checkpoint is whole and stays"
        ):
            trainer.run()
        assert not list((disk / "run").glob("*.tmp"))
        resumed = make_trainer(disk, keep=True, epochs=4, validations_per_epoch=1)
        resumed.resume()
        assert resumed.record.steps == trainer.record.steps[:2]
        (disk / "filler").unlink()
        resumed.run()
        assert (disk / "run" / CHECKPOINT).is_file() and len(resumed.record.steps) == 4


def test_a_full_disk_ends_the_cache_and_not_the_training(tmp_path):
    with small_disk(tmp_path / "disk", 400_000) as disk:
        trainer = make_trainer(disk, freeze=0.7, cache=True)
        with pytest.raises(TrainingError, match="--cache-frozen needs"):
            trainer.training.cache.check_room(1000)
        filler = fill(disk, 40_000)
        trainer.run()
        filler.unlink()
        kept = list(disk.rglob("*.safetensors"))
        assert kept and not list(disk.rglob("*.tmp"))
        assert all(trainer.training.cache.read(bytes.fromhex(each.stem)) is not None for each in kept)


def test_the_cache_is_refused_where_it_would_change_something(tmp_path):
    with pytest.raises(TrainingError, match="dropout in frozen layers"):
        make_trainer(tmp_path, freeze=0.7, freezing="reference", cache=True)
    with pytest.raises(TrainingError, match="no layer of the image tower is frozen"):
        make_trainer(tmp_path, freeze=0.1, cache=True)


def test_what_is_kept_of_a_picture_has_no_dropout_in_it(tmp_path):
    """The first batches are made before the first step, from a network that may be in training mode."""
    trainer = make_trainer(tmp_path, network_config=TINY, freeze=0.7, cache=True)
    trainer.trainee.network.train()
    ((batch,), *_) = trainer.training.steps(0)
    plain = make_trainer(tmp_path / "plain", network_config=TINY, freeze=0.7)
    plain.trainee.network.load_state_dict(trainer.trainee.network.state_dict())
    plain.trainee.network.eval()
    ((pixels,), *_) = plain.training.steps(0)
    lower = plain.trainee.lower(normalize(pixels.pixels, SPEC), 2)
    torch.testing.assert_close(batch.states, lower, atol=1e-5, rtol=1e-5)


def test_learning_rate_warms_up_and_falls_to_nothing():
    rates = [rate_at(step, 100, 0.1) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert all(later <= earlier for earlier, later in zip(rates[10:], rates[11:], strict=False))
