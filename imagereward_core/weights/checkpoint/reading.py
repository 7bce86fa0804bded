"""Opens a checkpoint, whatever its suffix says, as named tensors over a memory map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from ...errors import WeightsError
from ..manifest import LARGEST_HEADER
from .archive import map_tensors, open_archive
from .keymaps import KeyMap, View
from .layout import Layout
from .pickled import TensorRecord, read_pickle
from .whole_model import read_model

EXPECTED = "expected a .safetensors file, or a .pt file of plain tensors saved by torch 1.6 or later"

CHUNK_BYTES = 64 * 1024 * 1024
"""Bytes read before the memory map is renewed, so that pages already looked at do not pile up in memory."""

_WRAPPERS = ("state_dict", "model", "model_state_dict", "module")
_DDP_PREFIX = "module."


class StateFile:
    """An opened checkpoint: its names are known, its numbers are read when looked at.

    Wrappers that trainers put around a state dict (``{"model": ...}``, ``{"state_dict": ...}``) and the
    ``module.`` prefix of distributed training are taken off.

    Attributes:
        path: The file.
        names: Names of its tensors, in the file's order; with a key map, those of the network.
    """

    def __init__(self, path: Path, keymap: KeyMap | None = None) -> None:
        """Reads the table of contents of ``path``.

        Args:
            path: The file.
            keymap: How its tensors become those of a network; without it they are taken as they are.

        Raises:
            WeightsError: The file is missing, empty, cut short, no checkpoint, of an old format, or refused
                as unsafe.
        """
        self.path = Path(path)
        self._stored: dict[str, Any]
        self._map: Callable[[Mapping[str, Any]], dict[str, torch.Tensor]]
        if sniff(self.path) == "safetensors":
            self._stored = _without_prefix({name: name for name in _safetensors_names(self.path)})
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


def open_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, on the CPU, over a private memory map; errors as in :class:`StateFile`."""
    return StateFile(path).map()


def read_layout(path: Path, keymap: KeyMap | None = None) -> Layout:
    """Names, dtypes and shapes of a checkpoint, no tensor being read; arguments and errors as in :class:`StateFile`."""
    return StateFile(path, keymap).layout()


def sniff(path: Path) -> Literal["safetensors", "torch"]:
    """Which format a file really has, judged by its first bytes.

    Raises:
        WeightsError: It is neither; the text says what it seems to be.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise WeightsError(f"{path} {kind}; {EXPECTED}")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}); {EXPECTED}") from error
    size = path.stat().st_size
    if head[:4] == b"PK\x03\x04":
        return "torch"
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length <= LARGEST_HEADER:
        if 8 + length > size:
            raise WeightsError(
                f"{path} is cut short: {size} bytes, while its header alone has {8 + length}. Fetch it again"
            )
        return "safetensors"
    raise WeightsError(f"{path} ({size} bytes) {_what(head)}; {EXPECTED}")


def _what(head: bytes) -> str:
    """What a file that is no checkpoint seems to be."""
    text = head.lstrip().lower()
    if not head:
        return "is empty: a download or a copy broke off before it began"
    if text.startswith(b"version https://git-lfs"):
        return (
            "is a git LFS pointer, a note that stands for the file, not the file; run `git lfs pull` or "
            "download the file itself"
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "is a web page saved under this name, most likely an error page; download the file itself"
    if head[257:262] == b"ustar":
        return "is a tar archive; if the checkpoint is inside, unpack it"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return (
            "is a bare pickle, the format of torch before 1.6, which is not read; save it again with a newer "
            "torch, best as .safetensors"
        )
    if head[:1] == b"{":
        return "is JSON text"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return f"is a text file that begins with {head[:40].decode('ascii')!r}"
    return f"is not a checkpoint (it begins with the bytes {head[:8].hex(' ')})"


def _safetensors_names(path: Path) -> tuple[str, ...]:
    with _safetensors(path) as handle:
        return tuple(handle.keys())


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
