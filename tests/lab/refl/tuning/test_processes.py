"""Two processes tune as one does: the same LoRA in both, the same checks, and one of them writes."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.training.state.checkpoints import CHECKPOINT
from imagereward_lab.training.state.processes import processes
from tests.support.lab.processes import CAN_FORK, two_processes
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.support.lab.pipelines import write_pipeline  # noqa: E402
from tests.support.refl.tuners import tuner_of  # noqa: E402

# Three pictures among two processes: one of them has two.
COURSE = {"batch": 3, "updates": 3, "learning_rate": 1e-3}


def _tuned(tuner, path):
    history = tuner.run()
    save_file(tuner.adapter.state(), path.with_suffix(".safetensors"))
    checks = [{**each.to_dict(), "seconds": 0} for each in history.checks]
    path.with_suffix(".json").write_text(json.dumps(checks), encoding="utf-8")
    return history


def _process(rank, base, folder):
    with processes("cpu") as among:
        _tuned(tuner_of(base, folder / "run", among=among, **COURSE), folder / f"{rank}")


@CAN_FORK
def test_two_processes_come_to_what_one_comes_to(tmp_path):
    write_pipeline("sd1", tmp_path / "model", tmp_path / "tokens")
    base = load_base(tmp_path / "model")
    with two_processes(_process, base, tmp_path):
        history = _tuned(tuner_of(base, **COURSE), tmp_path / "alone")
    one, other, alone = (load_file(tmp_path / f"{name}.safetensors") for name in ("0", "1", "alone"))
    assert one.keys() == other.keys() == alone.keys()
    for name, each in one.items():
        assert torch.equal(each, other[name]), name
        torch.testing.assert_close(each, alone[name], rtol=0, atol=1e-5)
    assert any(float(each.abs().max()) > 1e-4 for name, each in alone.items() if name.endswith("/up"))
    first, second = (
        json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in ("0", "1")
    )
    assert first == second
    assert first[-1]["scores"].keys() == history.checks[-1].scores.keys()
    assert (tmp_path / "run" / CHECKPOINT).is_file()
