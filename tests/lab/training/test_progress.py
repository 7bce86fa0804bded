"""What is said before and while a training runs: estimates that count what is kept, and logs that go on where it does."""

from __future__ import annotations

import csv

import pytest
import torch

from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.progress.estimate import measure
from imagereward_lab.training.progress.logs import STEPS, VALIDATIONS, Logs
from imagereward_lab.training.progress.record import Record
from imagereward_lab.training.trainer import Step
from tests.support.rankings import make_trainer, rankings, weights
from tests.support.tiny import TINY


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_measuring_changes_nothing_and_sees_what_takes_memory(tmp_path):
    def estimate(**settings):
        trainer = make_trainer(tmp_path, learn=rankings(8), batch_pairs=12, **settings)
        before, numbers = weights(trainer), torch.get_rng_state()
        found = measure(trainer, trainer.training.largest(), reading=0.0, judged=12)
        assert torch.equal(torch.get_rng_state(), numbers)
        assert all(torch.equal(each, before[name]) for name, each in weights(trainer).items())
        assert all(each.grad is None for each in trainer.parameters.values())
        assert found.steps == trainer.steps and found.validations == 4
        return found

    plain = estimate(network_config=TINY)
    assert plain.memory > estimate(network_config=TINY, accumulate=2).memory, "half of a batch at once"
    assert plain.memory > estimate(network_config=TINY, checkpointing=True).memory
    assert plain.memory > estimate(network_config=TINY, freeze=0.7).memory
    parameters = sum(each.numel() for each in weights(make_trainer(tmp_path)).values())
    assert plain.checkpoint >= 4 * 4 * parameters
    assert "of memory" in plain.describe() and "on the disk" in plain.describe()


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (3, "a part of 12 pictures.*--accumulate 2, --checkpointing"),
        (5, "a ranking of 5 pictures.*leave pictures out"),
    ],
)
def test_what_does_not_fit_into_memory_is_told_with_what_helps(tmp_path, monkeypatch, size, said):
    """On a processor too, whose error has other words; parts do not help where one ranking alone is too large."""
    trainer = make_trainer(tmp_path, learn=rankings(4, size=size), batch_pairs=12)

    def full(group, weight):
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 17179869184 bytes"
        )

    monkeypatch.setattr(trainer, "gradients", full)
    with pytest.raises(TrainingError, match=said) as raised:
        measure(trainer, trainer.training.largest(), reading=0.0, judged=12)
    assert ("--accumulate" in str(raised.value)) == (size == 3)


def test_logs_of_a_resumed_training_have_every_step_once(tmp_path):
    record = Record()

    def note(logs, number):
        logs.step(Step(number, 0.5, 1e-5, 12, 6, 0.1))
        if number % 2 == 0:
            record.steps.append(number)
            for values in (record.training_loss, record.validation_loss, record.validation_accuracy):
                values.append(0.25)
            logs.validation(record)

    logs = Logs(tmp_path, board=False)
    for number in range(1, 8):
        note(logs, number)
    logs.close()
    logs = Logs(tmp_path, step=4, board=False)  # killed after step 7, its checkpoint of step 4
    for number in range(5, 9):
        note(logs, number)
    logs.close()
    assert [row["step"] for row in read(tmp_path / STEPS)] == [str(number) for number in range(1, 9)]
    assert [row["step"] for row in read(tmp_path / VALIDATIONS)] == ["2", "4", "6", "8"]
    assert read(tmp_path / STEPS)[0]["learning_rate"] == "1e-05"
    Logs(tmp_path, board=False).close()
    assert read(tmp_path / STEPS) == [], "a training that begins anew has logs of its own"
