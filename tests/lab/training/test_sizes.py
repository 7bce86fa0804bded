"""A checkpoint without a card is known by the shapes of its weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from imagereward_core.nets.config import RewardConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.networks.sizes import config_of
from imagereward_lab.training.networks.starts import open_start
from tests.support.tiny import TINY, tiny_network
from tests.support.tiny_registry import tiny_registry

SMALL = replace(
    TINY,
    vision=replace(TINY.vision, width=128, heads=2, image_size=48),
    text=replace(TINY.text, width=64, heads=1),
)


def layout(config):
    return {
        name: (each.dtype, tuple(each.shape))
        for name, each in build_skeleton(lambda: RewardNetwork(config)).state_dict().items()
    }


@pytest.mark.parametrize("config", [RewardConfig(), SMALL, replace(SMALL, projection=0)])
def test_sizes_are_those_of_the_network_the_weights_are_from(config):
    found = config_of(layout(config))
    assert found == replace(config, head=replace(config.head, mean=found.head.mean, std=found.head.std))


def test_weights_of_something_else_are_refused():
    shapes = layout(SMALL)
    shapes.pop("blip.text_encoder.embeddings.word_embeddings.weight")
    with pytest.raises(TrainingError, match="word_embeddings"):
        config_of(shapes)


def test_a_checkpoint_of_another_size_is_a_start_without_a_card(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = tiny_registry(tmp_path / "models", monkeypatch)
    path = tmp_path / "small.safetensors"
    network = tiny_network(config=SMALL)
    save_file({name: each.clone() for name, each in network.state_dict().items()}, path)
    vocabulary = next((tmp_path / "models").rglob("vocab.txt"))
    (tmp_path / "vocab.txt").write_bytes(vocabulary.read_bytes())
    start = open_start(str(path), settings)
    assert start.trainee.spec.size == 48 and start.trainee.network.config.vision == SMALL.vision
    state = start.trainee.network.state_dict()
    assert all(torch.equal(state[name], each) for name, each in network.state_dict().items())
