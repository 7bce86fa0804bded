"""The making of the demo model runs from its first step to its last, goes on after a kill, and replaces nothing unasked."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from imagereward_core.weights.bundled import FACTS_FILE, MODEL_FOLDER
from imagereward_lab.demo_model import teaching, train
from imagereward_lab.demo_model.schedule import SCHEDULE, Grounding, Naming, Ranking, Schedule, demo_config
from imagereward_lab.demo_model.stages import BEGUN
from imagereward_lab.demo_model.teaching import Lesson, new_heads, one_cycle, parameters_of, teach
from imagereward_lab.demo_model.train import embed, is_better, make, reaches_goal
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.state.checkpoints import CheckpointFolder

SMALL = demo_config(32, 2, 2)
HUNDREDTH = SCHEDULE.scaled(0.01)


class KilledError(Exception):
    pass


def test_a_hundredth_of_it_runs_to_the_end_after_two_kills(tmp_path):
    said: list[str] = []

    def kill_at(words):
        def say(line):
            said.append(line)
            if words in line:
                raise KilledError(line)

        return say

    output = tmp_path / "demo"
    with pytest.raises(KilledError):
        make(output, HUNDREDTH, SMALL, kill_at("3-ranking: begins"))
    with pytest.raises(KilledError):
        make(output, HUNDREDTH, SMALL, kill_at("draws 40 families"))
    facts = make(output, HUNDREDTH, SMALL, said.append)
    begun = [line for line in said if line.endswith("begins, or goes on")]
    assert [line[0] for line in begun] == ["1", "2", "3", "3", "4", "4", "5", "6", "7", "8"], (
        "what is done is not done again"
    )
    assert [stage["stage"] for stage in facts["training"]] == [stage.stage for stage in SCHEDULE.stages]
    assert facts["training"][2]["families"] == 50 and len(facts["training"][2]["validation_loss"]) == 2
    held_out = facts["held_out"]
    assert (
        held_out["prompts"] == 10
        and 0 < held_out["accuracy"] < 1
        and {"place", "blur"} & set(held_out["by_kind"])
    )
    stored = json.loads((output / "model" / FACTS_FILE.name).read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(facts)) and stored["sha256"]
    with pytest.raises(TrainingError, match="other settings"):
        make(output, SCHEDULE.scaled(0.02), SMALL, said.append)
    assert (output / BEGUN).is_file()


def little(seed=0):
    """A lesson that takes no time."""
    net, heads = nn.Linear(4, 4), new_heads(4, 1, seed)
    with torch.no_grad():
        net.weight.copy_(torch.eye(4))
        net.bias.zero_()

    def batch(rng):
        given = torch.tensor([[rng.random() for _ in range(4)] for _ in range(6)])
        loss = (heads(net(given))[:, 0] - given.sum(1)).square().mean()
        return loss, rng.random()

    return Lesson("little", parameters_of(net=net, heads=heads), batch, "right")


def test_a_lesson_that_was_killed_ends_as_if_it_was_not(tmp_path, monkeypatch):
    monkeypatch.setattr(teaching, "_OFTEN", 10)
    quiet = {"seed": 1, "steps": 45, "learning_rate": 1e-2, "report": lambda line: None}
    whole = little()
    share = teach(whole, **quiet)
    killed, folder = little(), CheckpointFolder(tmp_path)
    original, count = killed.batch, [0]

    def fragile(rng):
        count[0] += 1
        if count[0] == 25:
            raise KilledError
        return original(rng)

    with pytest.raises(KilledError):
        teach(Lesson("little", killed.learns, fragile, "right"), **quiet, folder=folder)
    again = little()
    assert teach(again, **quiet, folder=folder) == share
    for name, each in whole.learns.items():
        assert torch.equal(each, again.learns[name]), name
    with pytest.raises(TrainingError, match="steps was 45, now 46"):
        teach(little(), **{**quiet, "steps": 46}, folder=folder)


@pytest.mark.parametrize("steps", [2, 7, 30, 300])
def test_the_rates_are_those_of_torch(steps):
    optimiser = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.05)
    for step in range(steps):
        group = optimiser.param_groups[0]
        assert one_cycle(step, steps, 3e-3) == pytest.approx((group["lr"], group["betas"][0]), rel=1e-4), step
        optimiser.step()
        if step < steps - 1:
            schedule.step()


def judged(accuracy, worst, pairs=15000):
    kinds = {"blur": {"accuracy": 1.0, "pairs": 10}, "place": {"accuracy": worst, "pairs": 10}}
    return {"held_out": {"accuracy": accuracy, "pairs": pairs, "by_kind": kinds}}


def test_only_a_better_model_is_one_to_embed():
    assert reaches_goal(judged(0.965, 0.93)) and not reaches_goal(judged(0.9649, 0.99))
    assert not reaches_goal(judged(0.99, 0.929))
    old = judged(0.9703, 0.94)
    assert is_better(judged(0.971, 0.93), old) and not is_better(judged(0.9703, 0.99), old)
    assert not is_better(judged(0.99, 0.9), old) and not is_better(judged(0.99, 0.99, pairs=150), old)


@pytest.mark.parametrize(
    ("accuracy", "terminal", "answer", "code", "replaced"),
    [
        (0.98, True, "y", 0, True),
        (0.98, True, "", 0, False),
        (0.98, False, "y", 0, False),
        (0.966, True, "y", 0, False),
        (0.9, True, "y", 1, False),
    ],
)
def test_the_embedded_model_is_replaced_by_a_better_one_and_when_asked(
    tmp_path, monkeypatch, capsys, accuracy, terminal, answer, code, replaced
):
    put: list[object] = []
    monkeypatch.setattr(train, "make", lambda *args, **more: judged(accuracy, 0.95))
    monkeypatch.setattr(train, "embed", lambda *args: put.append(args))
    monkeypatch.setattr(train.sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert train.main(["--output", str(tmp_path)]) == code
    assert bool(put) is replaced
    told = capsys.readouterr().out
    assert f"{100 * accuracy:.2f} %" in told and ("stays" in told or replaced)


def test_what_cannot_be_made_is_a_sentence(tmp_path, capsys):
    (tmp_path / BEGUN).write_text("{}", encoding="utf-8")
    assert train.main(["--output", str(tmp_path), "--share", "0.01"]) == 4
    assert "was begun with other settings" in capsys.readouterr().err


def test_embedding_puts_all_three_files_in_place(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    embed(MODEL_FOLDER, target)
    for path in target.iterdir():
        assert path.read_bytes() == (MODEL_FOLDER / path.name).read_bytes()
    assert len(list(target.iterdir())) == 3


def test_a_scaled_schedule_has_the_same_stages():
    assert [type(stage) for stage in HUNDREDTH.stages] == [type(stage) for stage in SCHEDULE.stages]
    assert isinstance(SCHEDULE.stages[0], Naming) and isinstance(SCHEDULE.stages[-1], Ranking)
    assert any(isinstance(stage, Grounding) for stage in SCHEDULE.stages)
    assert HUNDREDTH.stages[0].steps == 12 and HUNDREDTH.held_out == 10


def test_a_schedule_needs_a_start(tmp_path):
    only = Schedule((HUNDREDTH.stages[-1],), 2)
    with pytest.raises(TrainingError, match="expected naming before it"):
        make(tmp_path, only, SMALL, lambda line: None)
