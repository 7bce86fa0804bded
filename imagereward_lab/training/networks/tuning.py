"""Training little of a network: the head alone, or a LoRA (arXiv 2106.09685) through the package peft, and what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from imagereward_core.scorers.changes import LORA_A, LORA_B

from ..errors import TrainingError
from ..trainee import Trainee

TUNING = ("full", "lora", "head")
ATTENTION = ("qkv", "proj", "query", "key", "value", "q_proj", "k_proj", "v_proj", "out_proj")
"""Linear layers of attention, by the last part of their names, in the image towers and text towers here."""


class TuningError(TrainingError):
    """A network cannot be tuned in the way that was asked for."""


def tune(trainee: Trainee, how: str, rank: int = 16, alpha: int = 16, dropout: float = 0.0) -> float:
    """Leaves only the head, or a LoRA and the head, to train; changes the network in place.

    Args:
        trainee: A whole network.
        how: One of :data:`TUNING`; ``full`` changes nothing.
        rank: Of the LoRA's matrices.
        alpha: The LoRA's factor is ``alpha / rank``.
        dropout: Before the LoRA's first matrix; training only.

    Returns:
        The LoRA's factor, 1 where there is none.

    Raises:
        TuningError: ``how`` is unknown, peft is missing, or no layer of attention is left to tune.
    """
    if how not in TUNING:
        raise TuningError(f"found {how!r} for what is tuned; expected one of {', '.join(TUNING)}")
    if how == "full":
        return 1.0
    network = trainee.network
    head: Any = network.mlp
    if how == "lora":
        wanted = list(_attention(trainee))
        if not wanted:
            raise TuningError(
                "no layer is left for a LoRA, all of them are frozen; expected some. Choose a smaller --freeze"
            )
        _inject(network, wanted, rank, alpha, dropout)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("lora_" in name)
    head.requires_grad_(True)
    return alpha / rank if how == "lora" else 1.0


def changed_tensors(network: nn.Module) -> dict[str, Tensor]:
    """What training changed of a network after :func:`tune`, under the names that scorers read: a head, a LoRA's products."""
    found: dict[str, Tensor] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        for mark, stored in ((".lora_A.default.weight", LORA_A), (".lora_B.default.weight", LORA_B)):
            if name.endswith(mark):
                name = f"{name.removesuffix(mark)}{stored}"
        found[name] = parameter.detach().cpu().float().contiguous()
    return found


def _attention(trainee: Trainee) -> Iterator[str]:
    """Names of the linear layers of attention that still train."""
    for name, module in trainee.network.named_modules():
        trains = isinstance(module, nn.Linear) and module.weight.requires_grad
        if trains and name.rpartition(".")[2] in ATTENTION and ".patch_embed." not in name:
            yield name


def _inject(network: nn.Module, names: list[str], rank: int, alpha: int, dropout: float) -> None:
    peft = load_peft("train", "--tuning head needs none of them")
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=names, bias="none"
    )
    peft.inject_adapter_in_model(config, network)


def load_peft(extra: str, instead: str = "") -> Any:
    """The package peft.

    Args:
        extra: What is installed to have it.
        instead: What can be done without it.

    Raises:
        TuningError: It is missing, or cannot be loaded.
    """
    try:
        import peft
    except (
        Exception
    ) as error:  # transformers, which it loads, turns whatever fails there into errors of many kinds
        missing = isinstance(error, ModuleNotFoundError) and error.name == "peft"
        raise TuningError(
            "a LoRA needs the package peft, which "
            + (
                f"is not installed here; install it with: pip install 'imagereward-curator[{extra}]'"
                if missing
                else f"cannot be loaded here ({error}). Packages it needs do not fit together, often torch and torchvision"
                + (f"; {instead}" if instead else "")
            )
        ) from error
    return peft
