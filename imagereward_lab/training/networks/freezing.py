"""Which layers of a network are frozen, and an exact account of what is left to train."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from torch import nn

from ..errors import TrainingError
from ..trainee import LayeredTower, Trainee

FREEZING = ("layers", "reference")


@dataclass(frozen=True)
class Frozen:
    """The outcome of freezing a network.

    Attributes:
        depths: For every tower how many of its layers are frozen whole.
        counts: For every tower, and for ``head``, the number of parameters that train.
        names: Names of all parameter tensors that train, in the network's order.
        total: Number of parameters of the network, frozen ones included.
        in_training_mode: Whether frozen layers keep their dropout, as the reference does.
        modules: The modules that run in evaluation mode.
    """

    depths: dict[str, int]
    counts: dict[str, int]
    names: tuple[str, ...]
    total: int
    layers: dict[str, int] = field(default_factory=dict)
    in_training_mode: bool = False
    modules: tuple[nn.Module, ...] = ()

    @property
    def trained(self) -> int:
        """Number of parameters that train."""
        return sum(self.counts.values())

    def describe(self) -> str:
        """What trains, in a line."""
        parts = []
        for name, count in self.counts.items():
            first, all_of = self.depths.get(name, 0), self.layers.get(name, 0)
            which = f" in layers {first + 1} to {all_of} of {all_of}" if name in self.layers else ""
            if name in self.layers and first >= all_of:
                which = f" (all {all_of} layers frozen)" if not count else f" behind its {all_of} layers"
            parts.append(f"{name} {in_millions(count)}{which}")
        return (
            f"trains {in_millions(self.trained)} of {in_millions(self.total)}"
            f" parameters in {len(self.names)} tensors: {'; '.join(parts)}"
        )

    def set_modes(self, network: nn.Module) -> None:
        """Puts the network into training mode, and what is frozen into evaluation mode unless dropout is wanted there."""
        network.train()
        for module in () if self.in_training_mode else self.modules:
            module.eval()


def freeze(trainee: Trainee, share: float, how: str = "layers") -> Frozen:
    """Freezes the lower ``share`` of every tower of ``trainee``, in place.

    Args:
        trainee: Parameters that do not ask for gradients already stay frozen.
        share: Of the layers of each tower, from the side of the input, rounded down; 0 freezes nothing, 1 both towers entirely.
        how: ``layers`` freezes whole layers and what comes before them. ``reference`` repeats the published selection
            (train/src/ImageReward.py: in the order of their definition all parameters up to and including the first one of layer
            ``int(layers * share)``), and leaves dropout on in frozen layers.

    Raises:
        TrainingError: ``share`` is not from 0 to 1, ``how`` is unknown, or nothing is left to train.
    """
    if not 0.0 <= share <= 1.0 or how not in FREEZING:
        raise TrainingError(
            f"found a share of {share} and a way of {how!r} for freezing; expected 0 to 1, and one of {', '.join(FREEZING)}"
        )
    depths, modules = {}, []
    for tower in trainee.towers:
        # 100 * 0.29 is 28.999999999999996; the reference's own rounding is kept where it is asked for
        depth = int(len(tower.layers) * share + (0.0 if how == "reference" else 1e-9))
        depths[tower.name] = depth
        if not share or (how == "layers" and not depth):
            continue
        whole = depth >= len(tower.layers)
        for part in (*tower.stem, *tower.layers[:depth], *(tower.tail if whole else ())):
            part.requires_grad_(False)
            if isinstance(part, nn.Module):
                modules.append(part)
        if how == "reference" and not whole:
            next(tower.layers[depth].parameters()).requires_grad_(False)
    if not any(each.requires_grad for each in trainee.network.parameters()):
        raise TrainingError(
            "every parameter is frozen; expected something to train. Choose a smaller --freeze"
        )
    frozen = Frozen(depths, {}, (), 0, in_training_mode=how == "reference", modules=tuple(modules))
    return recounted(frozen, trainee)


def recounted(frozen: Frozen, trainee: Trainee) -> Frozen:
    """The account after something else was changed about what trains, such as a LoRA put in."""
    counts = {
        tower.name: sum(each.numel() for each in _parameters(tower) if each.requires_grad)
        for tower in trainee.towers
    }
    named = list(trainee.network.named_parameters())
    trained = sum(each.numel() for _, each in named if each.requires_grad)
    return replace(
        frozen,
        counts={**counts, "head": trained - sum(counts.values())},
        names=tuple(name for name, each in named if each.requires_grad),
        total=sum(each.numel() for _, each in named),
        layers={tower.name: len(tower.layers) for tower in trainee.towers},
    )


def _parameters(tower: LayeredTower) -> Iterator[nn.Parameter]:
    for part in (*tower.stem, *tower.layers, *tower.tail):
        if isinstance(part, nn.Module):
            yield from part.parameters()
        else:
            yield part


def in_millions(count: int) -> str:
    """A number of parameters for people.

    >>> in_millions(141_100_000), in_millions(27_393)
    ('141.1 M', '27,393')
    """
    return f"{count / 1e6:.1f} M" if count >= 1e5 else f"{count:,}"
