"""Ways of doing the same: parts, processes, kills, caches and checkpointing leave the course of a training what it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.state.checkpoints import CHECKPOINT
from imagereward_lab.training.state.processes import processes
from tests.support.lab.processes import CAN_FORK, two_processes
from tests.support.rankings import make_trainer, rankings, weights
from tests.support.tiny import TINY

# Some gradients are 0 up to rounding (biases of keys, say), and Adam would make whole steps of that rounding.
CALM = {"eps": 1e-3}


def largest_difference(one, two):
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max()) for name in one)


def changed(trainer, before):
    after = weights(trainer)
    return {name for name in after if not torch.equal(after[name], before[name])}


def test_one_ranking_at_a_time_eight_times_equals_eight_at_once(tmp_path):
    settings = {"batch_pairs": 24, "epochs": 3, "mean": "pairs", **CALM}
    learn = [*rankings(6), *rankings(2, size=4, first=50)]  # unequal parts
    whole = make_trainer(tmp_path, learn=learn, **settings)
    start = weights(whole)
    parts = make_trainer(tmp_path, learn=learn, accumulate=8, **settings)
    assert len(next(parts.training.steps(0))) == 8
    whole.run(), parts.run()
    assert largest_difference(weights(whole), weights(parts)) < 1e-6
    assert largest_difference(weights(whole), start) > 1e-3
    assert whole.record.validation_loss == pytest.approx(parts.record.validation_loss, abs=1e-6)


def _process(rank, folder, results):
    with processes("cpu") as among:
        # A ranking more than can be shared out evenly, so that one process has a part without pairs at times.
        trainer = make_trainer(folder, learn=rankings(9), among=among, keep=True, seed=rank, **CALM)
        trainer.run()
        assert among.gather_texts("ä" * rank + "x") == ["x", "äx"]
        save_file(weights(trainer), results / f"{rank}.safetensors")


@CAN_FORK
def test_two_processes_equal_one(tmp_path):
    with two_processes(_process, tmp_path, tmp_path):
        alone = make_trainer(tmp_path / "alone", learn=rankings(9), **CALM)
        alone.run()
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert largest_difference(first, second) == 0
    assert largest_difference(first, weights(alone)) < 1e-6
    stored = load_file(tmp_path / "run" / CHECKPOINT)
    assert {"random.cpu.0", "random.cpu.1"} <= stored.keys()
    assert not torch.equal(stored["random.cpu.0"], stored["random.cpu.1"]), "dropout differs"


def _killed(folder, name, times, settings):
    """Trains until a file of that name is about to be put in its place for the ``times``-th time."""
    put, seen = Path.replace, []

    def replace(self, target):
        seen.extend([0] if Path(target).name.startswith(name) else [])
        if len(seen) == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return put(self, target)

    Path.replace = replace
    make_trainer(folder, keep=True, **settings).run()


RANDOM = {"network_config": TINY, "freeze": 0.4, "clip_norm": 1.0, "warmup": 0.2, "accumulate": 2}


@CAN_FORK
@pytest.mark.parametrize(("name", "times"), [(CHECKPOINT, 3), ("best-", 2)])
def test_going_on_after_a_kill_equals_never_having_stopped(tmp_path, name, times):
    """Bit for bit, with dropout, while a checkpoint was being written."""
    child = multiprocessing.get_context("fork").Process(
        target=_killed, args=(tmp_path / "killed", name, times, RANDOM)
    )
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    whole = make_trainer(tmp_path / "whole", keep=True, **RANDOM)
    whole.run()
    resumed = make_trainer(tmp_path / "killed", keep=True, **RANDOM)
    assert list(resumed.folder.folder.glob("*.tmp")), "the kill has left something half written"
    torch.rand(7)  # whatever happens before, the generators go on from where they were
    resumed.resume()
    assert 0 < resumed.step < whole.steps
    resumed.run()
    assert largest_difference(weights(whole), weights(resumed)) == 0
    for one, two in ((whole.record.to_dict(), resumed.record.to_dict()),):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}
    left = {each.name for each in resumed.folder.folder.iterdir() if not each.name.endswith(".lock")}
    assert left == {CHECKPOINT, f"best-{whole.record.best_step}.safetensors"}
    assert load_file(whole.folder.path).keys() == load_file(resumed.folder.path).keys()
    for (key, one), two in zip(load_file(whole.folder.path).items(), load_file(resumed.folder.path).values()):
        assert torch.equal(one, two), key


def test_frozen_parameters_stay_bit_identical(tmp_path):
    for how in ("layers", "reference"):
        trainer = make_trainer(tmp_path, network_config=TINY, freeze=0.7, freezing=how)
        before = weights(trainer)
        trainer.run()
        moved = changed(trainer, before)
        assert moved <= set(trainer.frozen.names)
        assert any(".blocks.2." in name for name in moved) and any(".layer.2." in name for name in moved)


def test_the_cache_of_frozen_layers_changes_nothing(tmp_path):
    settings = {"freeze": 0.7, "epochs": 3, **CALM}
    plain = make_trainer(tmp_path / "plain", **settings)
    cached = make_trainer(tmp_path / "cached", cache=True, **settings)
    assert cached.depth == 2
    plain.run(), cached.run()
    assert largest_difference(weights(plain), weights(cached)) < 1e-6
    images = cached.training.reader.images
    assert len(images.opened) == len(set(images.opened)), "no picture is read twice"
    # A second training finds what the first has kept.
    again = make_trainer(tmp_path / "cached", cache=True, **settings)
    again.trainee.network.blip.visual_encoder.blocks[0].forward = None
    again.run()
    assert largest_difference(weights(cached), weights(again)) == 0


def test_gradient_checkpointing_changes_nothing(tmp_path):
    for settings in ({"network_config": TINY}, {"freeze": 0.7}):
        plain = make_trainer(tmp_path, **settings)
        spared = make_trainer(tmp_path, checkpointing=True, **settings)
        plain.run(), spared.run()
        assert largest_difference(weights(plain), weights(spared)) == 0
        assert "forward" not in spared.trainee.towers[0].layers[0].__dict__


def test_a_training_goes_on_with_its_own_settings_only(tmp_path):
    make_trainer(tmp_path, keep=True, epochs=1).run()
    other = make_trainer(tmp_path, keep=True, epochs=1, learning_rate=1e-3)
    with pytest.raises(TrainingError, match=r"learning_rate was 0\.002, now 0\.001"):
        other.resume()
    with pytest.raises(TrainingError, match="nothing to go on|to go on from"):
        make_trainer(tmp_path / "none", keep=True).resume()
    whole = (tmp_path / "run" / CHECKPOINT).read_bytes()
    (tmp_path / "run" / CHECKPOINT).write_bytes(whole[:-40])
    with pytest.raises(TrainingError, match="cannot be gone on from"):
        make_trainer(tmp_path, keep=True, epochs=1).resume()
