"""A tiny random reward network and its vocabulary, for tests that need no meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig, VisionConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.families.imagereward import ImageRewardScorer
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_core.weights.card import Distribution, ScorerCard, WeightFile

N = TypeVar("N", bound=torch.nn.Module)

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ",",
]

TINY = RewardConfig(
    vision=VisionConfig(image_size=32, patch_size=8, width=48, depth=3, heads=4, mlp_width=96),
    text=TextConfig(vocab_size=len(WORDS) + 2, positions=40, width=36, depth=3, heads=3, mlp_width=64),
    head=HeadConfig(widths=(24, 16, 12, 8)),
    projection=8,
)

CARD = ScorerCard(
    id="tiny",
    title="Tiny (random weights)",
    family="imagereward",
    summary="Random weights for tests.",
    paper="",
    licence="Apache-2.0",
    checkpoint=(WeightFile(name="tiny.safetensors"),),
    tokenizer=WeightFile(name="vocab.txt"),
    image=ImageSpec(size=32),
    token_limit=12,
    needs_prompt=True,
    typical_range=(-2.0, 2.0),
    distribution=Distribution(source="normal", mean=0.0, std=1.0),
)


def telling(network: torch.nn.Module, seed: int = 0, spread: float = 0.35) -> None:
    """Random weights under which scores differ: plain initialisation gives every picture the same constant."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
            if name.endswith("weight") and ("norm" in name.lower()):
                parameter.add_(1.0)


def tiny_network(seed: int = 0, spread: float = 0.35, config: RewardConfig = TINY) -> RewardNetwork:
    """A tiny reward network with telling random weights, in evaluation mode."""
    network = RewardNetwork(config).eval()
    telling(network, seed, spread)
    return network


OWN = replace(TINY, vision=replace(TINY.vision, image_size=224, patch_size=56))
"""The same for pictures as a checkpoint of a user's own sees them."""


def write_own_checkpoint(path: Path, seed: int = 5, config: RewardConfig = TINY) -> Path:
    """A checkpoint of a user's own: ImageReward's layout, tiny, with random weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.clone() for name, tensor in tiny_network(seed, config=config).state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def write_flat_checkpoint(path: Path, all_zero: bool = False, config: RewardConfig = TINY) -> Path:
    """An own checkpoint whose head is all zero, or ends in a constant."""
    written = load_file(write_own_checkpoint(path, config=config))
    state = {name: tensor.clone() for name, tensor in written.items()}
    last = max(name for name in state if name.startswith("mlp.layers.") and name.endswith("weight"))
    for name in state:
        if name.startswith("mlp.") and (all_zero or name == last):
            state[name] = torch.zeros_like(state[name])
    save_file(state, path)
    return path


def install_own(folder: Path, monkeypatch: pytest.MonkeyPatch, module: Callable[[str], ModuleType]) -> Path:
    """``mine.safetensors`` and ``flat.safetensors`` in a host's models folder, small enough for tests, with the vocabulary they need.

    Args:
        folder: The models folder.
        monkeypatch: Puts their size back after the test.
        module: Gives a module of the core as the host has it.

    Returns:
        The first of them.
    """
    maker, cards = module("scorers.families.imagereward"), module("weights.cards").CARDS
    published = cards["ImageReward-v1.0"]
    vocabulary = replace(published.tokenizer, sha256=None, size=None)
    monkeypatch.setitem(cards, published.id, replace(published, tokenizer=vocabulary))
    whole = maker.network_config
    monkeypatch.setattr(maker, "network_config", lambda card: OWN if card.own else whole(card))
    folder.mkdir(parents=True, exist_ok=True)
    write_vocabulary(folder)
    write_flat_checkpoint(folder / "flat.safetensors", config=OWN)
    return write_own_checkpoint(folder / "mine.safetensors", config=OWN)


def write_vocabulary(folder: Path) -> Path:
    """The tiny vocabulary as a file."""
    path = folder / "vocab.txt"
    path.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return path


def in_precision(network: N, dtype: torch.dtype) -> N:
    """The network with every parameter in the dtype in which a runtime of this precision has it, in place."""
    policy = import_module(type(network).__module__).parameter_dtype
    for name, parameter in network.named_parameters():
        parameter.data = parameter.data.to(policy(name, dtype))
    return network


def tiny_scorer(
    folder: Path, runtime: LocalRuntime | None = None, batch_size: int | None = None
) -> ImageRewardScorer:
    """A scorer around a tiny random network."""
    runtime = runtime or LocalRuntime("cpu", "fp32")
    network = in_precision(tiny_network(), runtime.dtype)
    encoder = PromptEncoder(write_vocabulary(folder), CARD.token_limit or 12)
    return ImageRewardScorer(CARD, network, encoder, runtime, "random", batch_size=batch_size)
