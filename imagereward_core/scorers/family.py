"""The registry of families: the networks of a kind of scorer, and a builder that joins network, preprocessing and tokenizer.

One file in ``families`` for each kind: it registers itself here, beside its builder, and is found by lying there. A card names its family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ..images.spec import ImageSpec
    from ..runtime import Runtime
    from ..weights.card import ScorerCard
    from ..weights.locate import FoundWeights
    from .engine import PictureScorer, Tower


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the network of one layout of weights is made.

    Attributes:
        sizes: Its configuration, as published.
        make: The network for a configuration.
        dtype: Its policy: which parameters leave float32.
        make_without_text: The network for a configuration without its text tower, where it can do without; else None.
        reads_text: Whether a tensor belongs to the text tower, by its name.
    """

    sizes: Callable[[], Any]
    make: Callable[[Any], nn.Module]
    dtype: Callable[[str, torch.dtype], torch.dtype]
    make_without_text: Callable[[Any], nn.Module] | None = None
    reads_text: Callable[[str], bool] = lambda name: False


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The arguments of a builder: a card, the weights that were found for it, and what scorers of one run share.

    Attributes:
        spec: How pictures are prepared: as the card says, or whole where that was asked for.
        common: Arguments that every scorer takes: ``runtime``, ``revision``, ``batch_size``.
        network: Gives the network of the card with its weights, on the CPU; the same one for all scorers that read the same file.
        backbone: Gives the network that a head sits on, likewise.
        tower: Gives the picture tower of a network, by how it encodes; the same one for all scorers that share network and ``spec``.
    """

    card: ScorerCard
    found: FoundWeights
    spec: ImageSpec
    runtime: Runtime
    common: dict[str, Any]
    network: Callable[[], Any]
    backbone: Callable[[], Any]
    tower: Callable[[nn.Module, Callable[[Tensor], Tensor]], Tower]


Builder = Callable[[Parts], "PictureScorer"]

NETWORKS: dict[str, Network] = {}
"""By the ``layout`` of a card."""
BUILDERS: dict[str, Builder] = {}
"""By the ``family`` of a card."""


def family(name: str, **networks: Network) -> Callable[[Builder], Builder]:
    """Registers the builder that is decorated, for cards whose ``family`` is ``name``.

    ``networks`` are theirs by ``layout``; where a layout holds what no Python name may, give ``**{layout: network}``.
    """

    def register(builder: Builder) -> Builder:
        BUILDERS[name] = builder
        NETWORKS.update(networks)
        return builder

    return register


@cache
def _find_families() -> None:
    """Imports every module in ``families``; each registers what it has."""
    package = import_module(".families", __package__)
    for module in iter_modules(package.__path__):
        import_module(f".{module.name}", package.__name__)


def builder_of(card: ScorerCard) -> Builder:
    """The builder of a card's family; KeyError where no file in ``families`` registers it."""
    _find_families()
    return BUILDERS[card.family]


def network_of(layout: str) -> Network:
    """How the network of a layout is made; KeyError where no file in ``families`` registers it."""
    _find_families()
    return NETWORKS[layout]
