"""The LoRA of a model while it is trained (arXiv 2106.09685), by the package peft."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ...training.errors import TrainingError
from ...training.networks.tuning import load_peft
from .names import DENOISER, Place, place_of

_NAME = "default"
TEXT_LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
"""Layers of text encoders that a LoRA changes, by the last part of their names, as sd-scripts chooses them."""


class Tunable(Protocol):
    """What a model has to have, of :class:`~imagereward_lab.refl.bases.base.Base`."""

    @property
    def kind(self) -> str:
        """``sd``, ``sdxl``, ``sd3`` or ``flux``."""

    @property
    def denoiser(self) -> Any:
        """UNet or transformer."""

    @property
    def text_encoders(self) -> Mapping[str, Any]:
        """Text encoders by name."""


class Adapter:
    """A LoRA in the networks of a model. Its own parameters alone are trained, in float32, whatever precision the model has.

    Attributes:
        kind: Of the model.
        rank: Of the matrices.
        alpha: The change of a weight is ``alpha / rank * up @ down``.
        networks: The networks that have layers of it, by name.
        places: For each layer, by network and name, its place in the files that hosts load.
    """

    def __init__(
        self,
        kind: str,
        networks: Mapping[str, nn.Module],
        places: Mapping[tuple[str, str], Place],
        rank: int,
        alpha: float,
    ) -> None:
        self.kind, self.rank, self.alpha = kind, rank, alpha
        self.networks = dict(networks)
        self.places = dict(places)
        self._layers: dict[tuple[str, str], Any] = {
            (network, name): networks[network].get_submodule(name) for network, name in places
        }

    @property
    def scale(self) -> float:
        """What the product of the two matrices is multiplied by."""
        return self.alpha / self.rank

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """All that is trained, by names that stay the same: ``denoiser/mid_block.….to_q/down``."""
        found: dict[str, nn.Parameter] = {}
        for (network, name), layer in self._layers.items():
            found[f"{network}/{name}/down"] = layer.lora_A[_NAME].weight
            found[f"{network}/{name}/up"] = layer.lora_B[_NAME].weight
        return found

    def parameters(self) -> list[nn.Parameter]:
        """All that is trained."""
        return list(self.named_parameters().values())

    def state(self) -> dict[str, Tensor]:
        """A copy of all that is trained, on the processor, by the names of :meth:`named_parameters`."""
        return {name: each.detach().cpu().clone() for name, each in self.named_parameters().items()}

    def fill(self, state: Mapping[str, Tensor]) -> None:
        """Puts a state in place of what is there; the parameters stay the same objects.

        Raises:
            TrainingError: It has other names or shapes.
        """
        own = self.named_parameters()
        other = sorted(own.keys() ^ state.keys()) or sorted(
            name for name, each in own.items() if each.shape != state[name].shape
        )
        if other:
            raise TrainingError(
                f"a stored LoRA does not fit this model and rank {self.rank}: {other[0]} and {len(other) - 1} others differ; expected one "
                "of the same model, rank and layers"
            )
        with torch.no_grad():
            for name, each in own.items():
                each.copy_(state[name])

    @contextmanager
    def off(self) -> Iterator[None]:
        """The model without the LoRA, bit for bit, as long as this lasts."""
        self._enable(False)
        try:
            yield
        finally:
            self._enable(True)

    def _enable(self, on: bool) -> None:
        for layer in self._layers.values():
            layer.enable_adapters(on)


def attach(
    base: Tunable,
    targets: Sequence[str],
    *,
    rank: int = 16,
    alpha: float | None = None,
    seed: int = 0,
    text_encoders: bool = False,
) -> Adapter:
    """Puts a LoRA beside layers of a model, in place; all else of the networks that get one is frozen.

    The model still gives what it gave: the second matrices are zero. The first are drawn as peft draws them, but from the seed and a
    layer's own name, so that they do not depend on which other layers there are.

    Args:
        base: The model.
        targets: Full names of layers of its denoiser.
        rank: Of the matrices.
        alpha: See :class:`Adapter`; by default the rank.
        seed: Of the first matrices.
        text_encoders: Whether the text encoders get one too.

    Raises:
        TrainingError: A layer cannot have one, hosts have no name for it, or peft is missing.
    """
    if rank < 1 or (alpha is not None and not (math.isfinite(alpha) and alpha > 0)):
        raise TrainingError(
            f"a LoRA of rank {rank} and alpha {alpha} is none; expected a rank of 1 or more and an alpha above 0"
        )
    alpha = float(rank if alpha is None else alpha)
    wanted: dict[str, list[str]] = {DENOISER: list(dict.fromkeys(targets))}
    networks: dict[str, nn.Module] = {DENOISER: base.denoiser}
    if text_encoders:
        for name, network in base.text_encoders.items():
            networks[name], wanted[name] = network, list(_text_layers(network))
    places = {
        (network, layer): place_of(base.kind, network, layer, base.denoiser)
        for network, layers in wanted.items()
        for layer in layers
    }
    for network, layers in wanted.items():
        _inject(networks[network], layers, rank, alpha)
    adapter = Adapter(base.kind, networks, places, rank, alpha)
    with torch.no_grad():
        for name, each in adapter.named_parameters().items():
            each.data = each.data.float()
            each.copy_(_first(name, each, seed) if name.endswith("/down") else torch.zeros_like(each))
    return adapter


def _text_layers(network: nn.Module) -> Iterator[str]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in TEXT_LAYERS:
            yield name


def _inject(network: nn.Module, layers: Sequence[str], rank: int, alpha: float) -> None:
    peft = load_peft("refl")
    known = {name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    unknown = [layer for layer in layers if layer not in known]
    if unknown or not layers:
        raise TrainingError(
            f"{unknown[0] if unknown else 'nothing'} was chosen for a LoRA; expected names of linear or convolutional layers of the model"
        )
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=layers,
        lora_dropout=0.0,
        bias="none",
        init_lora_weights=False,
    )
    with torch.random.fork_rng(devices=[]):  # whatever peft draws, the caller's numbers stay
        peft.inject_adapter_in_model(config, network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(".lora_" in name)
    # A name that ends in another one would have got a LoRA as well.
    more = {name for name, module in network.named_modules() if hasattr(module, "lora_A")} - set(layers)
    if more:
        raise TrainingError(f"a LoRA was also put beside {min(more)}; expected only the layers chosen")


def _first(name: str, like: Tensor, seed: int) -> Tensor:
    """Uniform numbers whose bounds are those of a linear layer (``kaiming_uniform_`` with ``a=sqrt(5)``), float32 on the processor."""
    inputs = like[0].numel()
    numbers = torch.Generator().manual_seed(random.Random(f"lora {seed} {name}").getrandbits(63))
    return (torch.rand(like.shape, generator=numbers) * 2 - 1) * inputs**-0.5
