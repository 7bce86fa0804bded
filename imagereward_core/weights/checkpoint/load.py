"""Puts a checkpoint into a network skeleton: names and shapes first, then the numbers, not copied twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from ...errors import WeightsError
from .keymaps import KeyMap
from .layout import Layout, compare
from .reader import StateFile

DtypeOf = Callable[[str], torch.dtype]
"""Answers, for the name of a tensor, in which floating-point dtype the network wants it."""


def load_into(
    module: torch.nn.Module,
    path: Path,
    dtype_of: DtypeOf | None = None,
    optional: frozenset[str] = frozenset(),
    unused: Callable[[str], bool] = lambda name: False,
    keymap: KeyMap | None = None,
) -> None:
    """Loads a checkpoint into ``module``, a skeleton on the meta device, in place; its own values, if any, are replaced.

    Tensors that already have the dtype asked for stay views of a private memory map of the file: no copy,
    read from disk when first used. The others are converted in chunks, so that memory peaks near the size of
    the result. On error the skeleton is unchanged.

    Args:
        module: The network.
        path: A ``.safetensors`` or ``.pt`` file.
        dtype_of: Asked with the network's name of every floating-point tensor; without it the file's dtypes are kept.
        optional: Position buffers (whole numbers, ``[1, N]``) that newer files leave out; a missing one becomes 0 .. N-1.
        unused: Whether a tensor of the file is left out, by its name (in the network, where there is a key map).
        keymap: How a foreign file is read.

    Raises:
        WeightsError: The file cannot be read, or its names, shapes or kinds of numbers are not the network's, which are listed.
    """
    file = StateFile(path, keymap)
    found: Layout = {name: entry for name, entry in file.layout().items() if not unused(name)}
    skeleton: Layout = {
        name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in module.state_dict().items()
    }
    mismatch = compare(skeleton, found, optional)
    if not mismatch.fits:
        raise WeightsError(f"{path} does not fit this network: {mismatch.describe()}")

    wanted = {
        name: dtype_of(name) if dtype_of is not None and dtype.is_floating_point else dtype
        for name, (dtype, _) in found.items()
        if name in skeleton
    }
    kept = [name for name, dtype in wanted.items() if dtype == found[name][0]]
    changed = [name for name, dtype in wanted.items() if dtype != found[name][0]]
    # A host may have set a default device or be in inference mode; weights are plain CPU tensors anyway.
    with torch.device("cpu"), torch.inference_mode(False):
        state = file.map(kept)
        for name, tensor in file.chunks(changed):
            state[name] = tensor.to(wanted[name])
        for name in optional & skeleton.keys() - state.keys():
            dtype, shape = skeleton[name]
            state[name] = torch.arange(shape[-1], dtype=dtype).expand(shape).clone()
        _assign(module, state)


def _assign(module: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Replaces the skeleton's tensors; which parameters ask for gradients stays as the skeleton has it."""
    asks = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    module.load_state_dict(state, strict=True, assign=True)
    for name, parameter in module.named_parameters():  # torch 2.1 and 2.2 forget the flag when assigning
        parameter.requires_grad_(asks[name])
