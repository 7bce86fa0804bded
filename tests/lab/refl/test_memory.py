"""Text encoders leave the device once all prompts are read, and come back where there are more than are kept."""

from __future__ import annotations

import pytest

from imagereward_lab.refl import memory
from imagereward_lab.refl.bases.load import load_base
from imagereward_lab.refl.memory import settle
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")

from tests.support.lab.pipelines import PROMPTS, write_pipeline  # noqa: E402


def test_text_encoders_are_back_where_the_second_loss_has_too_many_prompts(tmp_path, monkeypatch):
    write_pipeline("sd1", tmp_path / "folder", tmp_path / "tokens")
    base = load_base(tmp_path / "folder")
    encoder, moves = base.text_encoders["text_encoder"], []
    to = encoder.to
    monkeypatch.setattr(encoder, "to", lambda device: moves.append(str(device)) or to(device))
    monkeypatch.setattr(base, "park_text", lambda: moves.append("away"))
    assert settle(base, PROMPTS[:1]) and moves[-1] == "away"
    one = base.encode(PROMPTS[:1]).states.nbytes
    monkeypatch.setattr(memory, "KEPT_CONDITIONS", 2 * one)
    assert settle(base, PROMPTS[:1], to_come=1) and moves[-1] == "away"
    assert not settle(base, PROMPTS[:1], to_come=2) and moves[-1] == str(base.device)
    assert not settle(base, [*PROMPTS[:1], "another", "and one more"])
    assert moves[-1] == str(base.device)
