"""Every registered scorer with tiny random weights in a models folder, laid out as the real ones are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from imagereward_core.nets.clip import ClipConfig, TowerConfig
from imagereward_core.nets.mps import MpsConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.siglip import SiglipConfig
from imagereward_core.scorers import family
from imagereward_core.scorers.families import imagereward
from imagereward_core.weights import cards
from imagereward_core.weights.card import WeightFile, WeightsCard
from imagereward_core.weights.locate import WeightSettings
from tests.support.tiny import TINY, telling, write_vocabulary

MERGES = ["#version: tiny", "a n", "r e", "c a", "ca t</w>", "d o", "do g</w>"]
VOCABULARY = 2 * 256 + len(MERGES) - 1 + 2
SIZE = 32
_files: dict[tuple[object, ...], bytes] = {}
"""Checkpoints by layout, sizes and seed: dozens of tests begin with the same eleven."""


def _tower(width: int, activation: str) -> TowerConfig:
    return TowerConfig(width=width, depth=2, heads=4, mlp_width=64, activation=activation)


def _clip(activation: str) -> ClipConfig:
    return ClipConfig(
        vision=_tower(32, activation),
        text=_tower(24, activation),
        projection=16,
        image_size=SIZE,
        patch_size=8,
        vocab_size=VOCABULARY,
    )


SIZES = {
    "clip-l": lambda: _clip("quick_gelu"),
    "clip-h": lambda: _clip("gelu"),
    "mps": lambda: MpsConfig(_clip("gelu"), depth=2, heads=2, head_width=10),
    "blip": lambda: TINY,
    "siglip": lambda: SiglipConfig(vision=_tower(28, "gelu_tanh"), image_size=SIZE, patch_size=8),
    "aesthetic": lambda: 16,
    "aesthetic-v2.5": lambda: 28,
}


def _unchecked(file: WeightFile) -> WeightFile:
    return dataclasses.replace(file, sha256=None, size=None)


def _tiny_card(card: WeightsCard) -> WeightsCard:
    changes: dict[str, object] = {"checkpoint": tuple(map(_unchecked, card.checkpoint))}
    if card.tokenizer is not None:
        changes["tokenizer"] = _unchecked(card.tokenizer)
    if hasattr(card, "image"):
        changes["image"] = dataclasses.replace(card.image, size=SIZE)
    if card.id == "ImageReward-v1.0" or card.id == "BLIP":
        changes["token_limit"] = 12
    return dataclasses.replace(card, **changes)


def _write(card: WeightsCard, folder: Path, seed: int) -> None:
    """Random weights, and the vocabulary, in the card's own folder."""
    home = folder / card.folder
    home.mkdir(parents=True, exist_ok=True)
    kind = family.network_of(card.layout) if card.layout else None
    key = (card.layout, repr(kind.sizes() if kind else TINY), seed)
    if key not in _files:
        network = kind.make(kind.sizes()) if kind else RewardNetwork(TINY)
        telling(network, seed)
        state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        _files[key] = save(state, metadata={"format": "pt"})
    (home / card.checkpoint[0].name).write_bytes(_files[key])
    if card.tokenizer is not None:
        if card.tokenizer.name == "merges.txt":
            (home / "merges.txt").write_text("\n".join(MERGES) + "\n", encoding="utf-8")
        else:
            write_vocabulary(home)


def tiny_registry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> WeightSettings:
    """Makes every scorer but the demo a tiny random one, with its weights in ``folder``; returns settings that find them."""
    for layout, sizes in SIZES.items():
        kind = dataclasses.replace(family.network_of(layout), sizes=sizes)
        monkeypatch.setitem(family.NETWORKS, layout, kind)
    whole = imagereward.network_config
    monkeypatch.setattr(
        imagereward, "network_config", lambda card: whole(card) if card.id == "demo" else TINY
    )
    for seed, (name, card) in enumerate([*cards.CARDS.items(), *cards.BACKBONES.items()]):
        if name == "demo":
            continue
        known = cards.CARDS if name in cards.CARDS else cards.BACKBONES
        tiny = _tiny_card(card)
        monkeypatch.setitem(known, name, tiny)
        if not (folder / tiny.folder / tiny.checkpoint[0].name).exists():
            _write(tiny, folder, seed)
    torch.manual_seed(0)  # whether they were made now or earlier shows in no number a test draws
    return WeightSettings(folders=(folder,), use_hub_cache=False, allow_download=False, auto_convert=False)
