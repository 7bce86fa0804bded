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
    rename: Callable[[str], str | None] | None = None,
    keymap: KeyMap | None = None,
) -> None:
    """Loads a checkpoint into ``module``, a skeleton on the meta device, in place.

    Tensors that already have the dtype asked for stay views of a private memory map of the file: no copy,
    read from disk when first used. The others are converted in chunks, so that memory peaks near the size of
    the result. On error the skeleton is unchanged.

    Args:
        module: The network; its own values, if any, are replaced.
        path: A ``.safetensors`` or ``.pt`` file.
        dtype_of: Asked with the network's name of every floating-point tensor; without it the file's dtypes
            are kept.
        optional: Position buffers (whole numbers, ``[1, N]``) that newer files leave out; a missing one
            becomes 0 .. N-1.
        rename: From the file's name of a tensor to the network's, or to None for one that is not used.
        keymap: How a foreign file is read; ``rename`` is then asked with the names it gives.

    Raises:
        WeightsError: The file cannot be read (see :class:`StateFile`), or its names, shapes or kinds of
            numbers are not the network's; the text counts and lists the differences.
    """
    file = StateFile(path, keymap)
    sources = _sources(file, rename)
    stored = file.layout()
    found: Layout = {name: stored[source] for name, source in sources.items()}
    skeleton: Layout = {
        name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in module.state_dict().items()
    }
    mismatch = compare(skeleton, found, optional)
    if not mismatch.fits:
        raise WeightsError(f"{path} does not fit this network: {mismatch.describe()}")

    wanted = {name: _target(name, found[name][0], dtype_of) for name in found if name in skeleton}
    kept = [name for name, dtype in wanted.items() if dtype == found[name][0]]
    by_source = {sources[name]: name for name, dtype in wanted.items() if dtype != found[name][0]}
    # A host may have set a default device or be in inference mode; weights are plain CPU tensors anyway.
    with torch.device("cpu"), torch.inference_mode(False):
        mapped = file.map(sources[name] for name in kept)
        state = {name: mapped[sources[name]] for name in kept}
        for source, tensor in file.chunks(by_source):
            state[by_source[source]] = tensor.to(wanted[by_source[source]])
        for name in optional & skeleton.keys() - state.keys():
            dtype, shape = skeleton[name]
            state[name] = torch.arange(shape[-1], dtype=dtype).expand(shape).clone()
        _assign(module, state)


def _sources(file: StateFile, rename: Callable[[str], str | None] | None) -> dict[str, str]:
    """From the network's names to the file's."""
    sources: dict[str, str] = {}
    for source in file.names:
        name = source if rename is None else rename(source)
        if name is None:
            continue
        if name in sources:
            raise WeightsError(
                f"{file.path} holds {name} twice, as {sources[name]} and as {source}; expected one of them"
            )
        sources[name] = source
    return sources


def _target(name: str, found: torch.dtype, dtype_of: DtypeOf | None) -> torch.dtype:
    """The dtype a tensor is to have: whole numbers stay as they are."""
    return dtype_of(name) if dtype_of is not None and found.is_floating_point else found


def _assign(module: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Replaces the skeleton's tensors; which parameters ask for gradients stays as the skeleton has it."""
    asks = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    module.load_state_dict(state, strict=True, assign=True)
    for name, parameter in module.named_parameters():  # torch 2.1 and 2.2 forget the flag when assigning
        parameter.requires_grad_(asks[name])
