"""Small checkpoints that change another scorer's network: a head alone, or a LoRA (arXiv 2106.09685) with or without a head."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..nets.reward import POSITION_IDS
from ..weights.card import ScorerCard
from ..weights.cards import CARDS
from ..weights.checkpoint import StateFile, keymap_of, load_into
from ..weights.checkpoint.load import DtypeOf
from ..weights.locate import FoundWeights

N = TypeVar("N", bound=nn.Module)

LORA_A, LORA_B = ".lora_A.weight", ".lora_B.weight"
"""What follows the name of a linear layer: float [r, in] and [out, r]; ``scale * B @ A`` is added to its weight."""


def load_changed(network: N, card: ScorerCard, found: FoundWeights, dtype_of: DtypeOf) -> N:
    """Puts the weights of a base and the changes of ``found.checkpoint`` into a skeleton.

    Args:
        network: Of the size that ``card`` says.
        card: The card of the changes.
        found: The changes, with the weights of the base as ``backbone``.
        dtype_of: The dtype of each parameter in the end. Changes are added in float32 first.

    Raises:
        WeightsError: A file is damaged, or the changes do not fit the network.
    """
    assert found.backbone is not None
    known = CARDS.get(card.base)
    within = (
        known is not None and known.layout
    )  # then the base is one part of the network, called like its family
    load_into(
        getattr(network, known.family) if known is not None and within else network,
        found.backbone.checkpoint,
        dtype_of=lambda _: torch.float32,
        optional=frozenset({POSITION_IDS, POSITION_IDS.removeprefix("blip.")}),
        keymap=keymap_of(known) if known is not None and within else None,
    )
    apply_changes(network, found.checkpoint, card.lora_scale)
    missing = [name for name, tensor in network.state_dict().items() if tensor.is_meta]
    if missing:
        raise WeightsError(
            f"{found.checkpoint} and {found.backbone.checkpoint} do not make a whole network: {missing[0]} is in neither"
        )
    for name, parameter in network.named_parameters():
        parameter.data = parameter.data.to(dtype_of(name))
    return network


def apply_changes(network: nn.Module, path: Path, scale: float) -> None:
    """Puts whole tensors of a file into ``network``, and adds its LoRA products.

    Raises:
        WeightsError: A tensor fits none of the network's.
    """
    file = StateFile(path)
    changes = {name: tensor.float() for name, tensor in file.map(file.names).items()}
    own = network.state_dict()
    new: dict[str, Tensor] = {}
    for name, tensor in changes.items():
        layer = name.removesuffix(LORA_A).removesuffix(LORA_B)
        if layer == name:
            new[name] = tensor
        elif f"{layer}{LORA_A}" in changes and f"{layer}{LORA_B}" in changes and f"{layer}.weight" in own:
            down, up = changes[f"{layer}{LORA_A}"], changes[f"{layer}{LORA_B}"]
            weight = own[f"{layer}.weight"]
            fits = up.dim() == down.dim() == 2 and up.shape[1] == down.shape[0]
            # Before they are multiplied: two small matrices of a stranger's may have a product of any size.
            if fits and weight.shape == (up.shape[0], down.shape[1]):
                name = f"{layer}.weight"
                new[name] = weight.float() + scale * (up @ down)
        if name not in new or name not in own or new[name].shape != own[name].shape:
            raise WeightsError(
                f"{path} does not fit the network it is a change of: {name} has no place there, or another shape"
            )
    if not new:
        raise WeightsError(f"{path} holds no change of a network; expected a head or a LoRA")
    network.load_state_dict(new, strict=False, assign=True)
