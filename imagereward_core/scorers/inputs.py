"""Pictures of any kind to exact pixels, ahead of the model; one that cannot be read gets a reason."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Union

import torch
from torch import Tensor

from ..errors import ImageError
from ..images.decode import open_image
from ..images.preprocess import to_pixels
from ..images.spec import ImageSpec
from ..images.tensors import nan_pictures, tensor_to_pixels

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image


WINDOW = 128
"""Pictures decoded ahead of the model, and kept until every tower has seen them."""


@dataclass(frozen=True, eq=False)
class Square:
    """A picture as a network sees it: [3, S, S], uint8 or, for specs that resize floats, float32; and the SHA-256 of these pixels."""

    pixels: Tensor
    digest: bytes


Waiting = Callable[[], "Square | str"]
"""Waits for the exact pixels of a picture, or the reason for none."""


@dataclass(frozen=True)
class Window:
    """Some consecutive pictures on their way: the number of the first, and for each what decoding gives, squares by spec or one reason."""

    start: int
    pictures: list[Future[dict[ImageSpec, Square] | str]]

    def of(self, spec: ImageSpec) -> list[tuple[int, Waiting]]:
        """The number of every picture with a call that waits for its pixels for ``spec``."""
        return [
            (number, partial(_wait, future, spec)) for number, future in enumerate(self.pictures, self.start)
        ]


def as_list(images: Sequence[Picture] | Tensor) -> list[Picture]:
    """The pictures one by one, a batch tensor [B, H, W, C] without copying; ImageError for anything that is no list of pictures."""
    if isinstance(images, Tensor):
        if images.dim() != 4:
            raise ImageError(
                f"a tensor of shape {list(images.shape)}; expected [B, H, W, C] with values in 0..1"
            )
        return list(images)
    if isinstance(images, (str, os.PathLike)) or not hasattr(images, "__len__") or hasattr(images, "shape"):
        raise ImageError(
            f"images is one {type(images).__name__}; expected a list of pictures or a tensor [B, H, W, C]"
        )
    return list(images)


def unique(pictures: Sequence[Picture]) -> tuple[list[Picture], list[int]]:
    """Each different picture once, and every picture's place among those; the same path, or the very same object, is the same picture."""
    places: dict[object, int] = {}
    firsts: list[Picture] = []
    index = []
    for picture in pictures:
        key: object = os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else id(picture)
        if key not in places:
            places[key] = len(firsts)
            firsts.append(picture)
        index.append(places[key])
    return firsts, index


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture whose ``pixels`` :func:`prepare_all` made before, for a caller that needs the decoded picture for other things as well."""

    pixels: Mapping[ImageSpec, Tensor]


def prepare(picture: Picture, spec: ImageSpec) -> Tensor:
    """Exact pixels of one picture, [3, S, S], uint8 (float32 for specs that resize floats), a tensor's on its device; else ImageError."""
    return prepare_all(picture, [spec])[spec]


def prepare_all(picture: Picture, specs: Sequence[ImageSpec]) -> dict[ImageSpec, Tensor]:
    """The same for several specs; a file is decoded once."""
    if isinstance(picture, Prepared):
        return {spec: picture.pixels[spec] for spec in specs}
    if not isinstance(picture, Tensor):
        opened = open_image(picture)
        return {spec: torch.from_numpy(to_pixels(opened, spec)).permute(2, 0, 1) for spec in specs}
    if picture.dim() != 3 or not picture.is_floating_point():
        raise ImageError(
            f"a tensor of shape {list(picture.shape)} and type {picture.dtype}; expected [H, W, C] of floats in 0..1"
        )
    batch = picture.detach()[None]
    if nan_pictures(batch):
        raise ImageError(
            "the picture holds NaN; expected values in 0..1. The step that made it has failed, often in half precision"
        )
    return {spec: tensor_to_pixels(batch, spec)[0] for spec in specs}


def decoded_windows(
    pictures: Sequence[Picture], specs: Sequence[ImageSpec], window: int = WINDOW
) -> Iterator[Window]:
    """Windows of pictures in order, decoded in threads; while the model is busy with one the next is being decoded."""
    threads = max(1, min(8, (os.cpu_count() or 2) - 1, len(pictures)))
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        pending: list[Window] = []
        try:
            for start in range(0, len(pictures), window):
                chosen = pictures[start : start + window]
                pending.append(Window(start, [pool.submit(_attempt, picture, specs) for picture in chosen]))
                if len(pending) > 1:
                    yield pending.pop(0)
            yield from pending
        finally:  # also when the model fails or is stopped: what nobody will look at is not decoded
            for each in pending:
                for future in each.pictures:
                    future.cancel()


def _attempt(picture: Picture, specs: Sequence[ImageSpec]) -> dict[ImageSpec, Square] | str:
    """Squares for every spec, or the reason why there are none."""
    with torch.inference_mode():
        try:
            prepared = prepare_all(picture, specs)
        except ImageError as error:
            return str(error)
        return {
            spec: Square(pixels, hashlib.sha256(pixels.cpu().numpy().tobytes()).digest())
            for spec, pixels in prepared.items()
        }


def _wait(future: Future[dict[ImageSpec, Square] | str], spec: ImageSpec) -> Square | str:
    result = future.result()
    return result if isinstance(result, str) else result[spec]


Picture = Union[str, "os.PathLike[str]", "Image.Image", "np.ndarray", "torch.Tensor", "Prepared"]
