"""Pictures of a data set by name, prepared exactly, in threads; one that cannot be read is left out with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from imagereward_core.errors import CuratorError
from imagereward_core.images.decode import open_bytes, open_image
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec


class Images(Protocol):
    """Where pictures come from; used by several threads at once."""

    def open(self, name: str) -> Any:
        """A picture by its name: Pillow's, an array, a path, or the bytes of its file.

        Raises:
            CuratorError, OSError: There is none.
        """


class States(Protocol):
    """Hidden states of pictures, kept from an earlier pass."""

    def read(self, digest: bytes) -> Tensor | None:
        """Those of the picture whose pixels have this hash; None where it was not seen yet."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that was read.

    Attributes:
        digest: SHA-256 of its pixels.
        pixels: [3, S, S], uint8, or float32 for specs that resize floats; None where ``states`` stand for it.
        states: What the frozen layers make of it, or None.
    """

    digest: bytes
    pixels: Tensor | None
    states: Tensor | None = None


class PictureReader:
    """Reads pictures ahead of the network.

    Args:
        images: Where they come from.
        spec: How they are prepared.
        workers: Threads that read.
        states: Asked first for every picture that was seen before.
        report: Told once of every picture that is left out.
    """

    def __init__(
        self,
        images: Images,
        spec: ImageSpec,
        workers: int = 4,
        states: States | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.images, self.spec, self.workers, self.states = images, spec, workers, states
        self.left_out: dict[str, str] = {}
        self._report = report
        self._digests: dict[str, bytes] = {}

    def pool(self) -> ThreadPoolExecutor:
        """Threads to read in, for the time of a ``with``."""
        return ThreadPoolExecutor(max(1, self.workers), thread_name_prefix="pictures")

    def request(self, pool: ThreadPoolExecutor, names: Iterable[str]) -> dict[str, Future[Picture | str]]:
        """Begins to read pictures, each once."""
        return {name: pool.submit(self._read, name) for name in dict.fromkeys(names)}

    def take(self, requested: dict[str, Future[Picture | str]]) -> dict[str, Picture]:
        """Those that could be read."""
        found = {}
        for name, future in requested.items():
            result = future.result()
            if isinstance(result, Picture):
                found[name] = result
            elif name not in self.left_out:
                self.left_out[name] = result
                if self._report is not None:
                    self._report(f"left out: {result}")
        return found

    def _read(self, name: str) -> Picture | str:
        if name in self.left_out:
            return self.left_out[name]
        known = self._digests.get(name)
        if known is not None and self.states is not None:
            states = self.states.read(known)
            if states is not None:
                return Picture(known, None, states)
        try:
            pixels = torch.from_numpy(self._prepared(name)).permute(2, 0, 1)
        except (CuratorError, OSError) as error:
            text = str(error)
            return text if text.startswith(name) or f"/{name}: " in text else f"{name}: {text}"
        digest = hashlib.sha256(pixels.numpy().tobytes()).digest()
        self._digests[name] = digest
        states = None if self.states is None else self.states.read(digest)
        return Picture(digest, pixels if states is None else None, states)

    def _prepared(self, name: str) -> np.ndarray:
        opened = self.images.open(name)
        image = open_bytes(opened, name) if isinstance(opened, bytes) else open_image(opened)
        return to_pixels(image, self.spec)
