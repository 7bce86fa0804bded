"""Opens a checkpoint, whatever its suffix says, as named tensors over a memory map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ...errors import WeightsError
from ...plain import well_formed
from ..formats import sniff
from .archive import map_tensors, open_archive
from .keymaps import KeyMap, View
from .layout import Layout
from .pickled import TensorRecord, read_pickle
from .whole_model import read_model

CHUNK_BYTES = 64 * 1024 * 1024
"""Bytes read before the memory map is renewed, so that pages already looked at do not pile up in memory."""

_WRAPPERS = ("state_dict", "model", "model_state_dict", "module")
_DDP_PREFIX = "module."


class StateFile:
    """An opened checkpoint: its names are known, its numbers are read when looked at.

    Wrappers that trainers put around a state dict (``{"model": ...}``, ``{"state_dict": ...}``) and the
    ``module.`` prefix of distributed training are taken off.

    Attributes:
        names: Names of its tensors, in the file's order; with a key map, those of the network.
    """

    def __init__(self, path: Path, keymap: KeyMap | None = None) -> None:
        """Reads the table of contents; WeightsError where it is no safe checkpoint. Without ``keymap`` tensors keep their names."""
        self.path = Path(path)
        if well_formed(str(path)) != str(path):
            raise WeightsError(
                f"{path} has bytes in its name that are no UTF-8, so that torch and safetensors cannot open it; rename the file or "
                "the folder"
            )
        self._stored: dict[str, Any]
        self._map: Callable[[Mapping[str, Any]], dict[str, torch.Tensor]]
        if sniff(self.path) == "safetensors":
            with _safetensors(self.path) as handle:
                self._stored = _without_prefix({name: name for name in tuple(handle.keys())})
            self._map = partial(_map_safetensors, self.path)
        else:
            whole = keymap is not None and keymap.whole_model
            archive = open_archive(self.path, read_model if whole else read_pickle)
            self._stored = _without_prefix(_unwrap(self.path, archive.tree))
            self._map = partial(map_tensors, archive)
        self._views = {name: View(name) for name in self._stored}
        if keymap is not None:
            self._views = keymap.views(self.layout())
        self.names = tuple(self._views)

    def map(self, names: Iterable[str] | None = None) -> dict[str, torch.Tensor]:
        """The named tensors (by default all) over a new memory map, freed together with the last one."""
        views = {name: self._views[name] for name in (self._views if names is None else names)}
        with torch.device("cpu"), torch.inference_mode(False):  # whatever the caller has set as its default
            stored = self._map({view.source: self._stored[view.source] for view in views.values()})
            return {name: view.of(stored[view.source]) for name, view in views.items()}

    def layout(self) -> Layout:
        """Names, dtypes and shapes, without reading any tensor."""
        return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in self.map().items()}

    def chunks(
        self, names: Iterable[str] | None = None, limit: int = CHUNK_BYTES
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """The named tensors one by one, the memory map being renewed about every ``limit`` bytes.

        Each tensor is to be dropped before the next is asked for; one that is kept keeps its whole chunk in
        memory.
        """
        for group in self.groups(names, limit):
            mapped = self.map(group)
            for name in group:
                yield name, mapped.pop(name)

    def groups(self, names: Iterable[str] | None = None, limit: int = CHUNK_BYTES) -> list[list[str]]:
        """The names of tensors that together have about ``limit`` bytes at most, in order."""
        sizes = {name: tensor.numel() * tensor.element_size() for name, tensor in self.map(names).items()}
        groups: list[list[str]] = [[]]
        filled = 0
        for name, size in sizes.items():
            if groups[-1] and filled + size > limit:
                groups.append([])
                filled = 0
            groups[-1].append(name)
            filled += size
        return groups


def _map_safetensors(path: Path, stored: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """The tensors in ``stored`` (new name to stored name) over a memory map of the file."""
    with _safetensors(path) as handle:
        return {name: handle.get_tensor(source) for name, source in stored.items()}


@contextmanager
def _safetensors(path: Path) -> Iterator[Any]:
    """An opened safetensors file, its errors turned into ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt", device="cpu") as handle:
            yield handle
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path} ({path.stat().st_size} bytes) is cut short or damaged ({error}); expected a complete "
            ".safetensors file. Fetch it again"
        ) from error


def _unwrap(path: Path, tree: Any) -> dict[str, TensorRecord]:
    """The state dict inside what a ``.pt`` file holds."""
    if not isinstance(tree, dict):
        raise WeightsError(
            f"{path} holds a {_kind(tree)}; expected a dictionary of tensors by name (a state dict)"
        )
    for _ in range(2):
        tree = next((tree[key] for key in _WRAPPERS if isinstance(tree.get(key), dict)), tree)
    foreign = [
        f"{key} is a {_kind(value)}" for key, value in tree.items() if not isinstance(value, TensorRecord)
    ]
    if foreign or not tree:
        found = f"{len(foreign)} of {len(tree)} entries are not ({', '.join(foreign[:5])})"
        found = found if tree else "it is empty"
        raise WeightsError(
            f"{path} holds a dictionary, expected one of tensors by name (a state dict), but {found}"
        )
    return {str(key): value for key, value in tree.items()}


def _without_prefix(stored: dict[str, Any]) -> dict[str, Any]:
    """Takes off the prefix distributed training puts before every name."""
    if stored and all(name.startswith(_DDP_PREFIX) for name in stored):
        return {name.removeprefix(_DDP_PREFIX): value for name, value in stored.items()}
    return stored


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, TensorRecord) else type(value).__name__
