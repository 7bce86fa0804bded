"""Batches that are made already, as the making of the demo model has them."""

from __future__ import annotations

import pytest
import torch

from imagereward_core.nets.reward import RewardNetwork
from imagereward_lab.training.initialise import initialise
from imagereward_lab.training.trainer import TrainingConfig, train
from tests.support.rankings import SPEC, STEADY, make_trainer, rankings


class Given:
    """Data of batches that were made beforehand."""

    def __init__(self, batches):
        self.made = batches

    def __len__(self):
        return len(self.made)

    def batches(self, epoch):
        return iter(self.made)


def network():
    made = RewardNetwork(STEADY)
    initialise(made, 0)
    return made


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 10), (2, 4), (9, 2)])
def test_given_batches_are_trained_on_and_the_best_state_is_kept(tmp_path, accumulate, steps):
    source = make_trainer(tmp_path, learn=rankings(10), batch_pairs=6)
    given = Given([part for parts in source.training.steps(0) for part in parts])
    judged = Given(list(source.validation.parts()))
    assert len(given) == 5
    lines = []
    config = TrainingConfig(
        epochs=2, learning_rate=2e-3, accumulate=accumulate, freeze=0.0, validations_per_epoch=2
    )
    trained = network()
    record = train(trained, given, judged, SPEC, config, lines.append)
    assert record.steps[-1] == steps and len(lines) == len(record.steps)
    assert f"step {steps}/{steps}  training loss" in lines[-1]
    assert min(record.validation_loss) == record.best[0] and not trained.training
    again = network()
    assert train(again, given, judged, SPEC, config, lines.append).validation_loss == record.validation_loss
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), again.parameters()))
