"""Pictures of any kind to exact pixels, ahead of the model and each failing for itself alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import ImageError
from ..images.decode import open_image
from ..images.preprocess import to_pixels
from ..images.spec import ImageSpec
from ..images.tensors import nan_pictures, tensor_to_pixels

if TYPE_CHECKING:
    from .base import Picture


@dataclass(frozen=True)
class Prepared:
    """The readable pictures of a chunk.

    Attributes:
        members: Which pictures these are, as numbers in the list given.
        pixels: uint8 [len(members), 3, S, S]; None when none could be read.
        failures: Reason by number for the others.
    """

    members: list[int]
    pixels: Tensor | None
    failures: dict[int, str]


def as_list(images: Sequence[Picture] | Tensor) -> list[Picture]:
    """The pictures one by one; a batch tensor [B, H, W, C] is taken apart without copying.

    Raises:
        ImageError: A tensor of another shape, or a single path or picture where a list was expected.
    """
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
    """Each different picture once, and for every picture its place among those.

    The same path, or the very same object, is the same picture.
    """
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


def prepare(picture: Picture, spec: ImageSpec) -> Tensor:
    """Exact pixels of one picture, uint8 [3, S, S]; a tensor is prepared on its own device.

    Raises:
        ImageError: The picture cannot be scored.
    """
    if isinstance(picture, Tensor):
        if picture.dim() != 3 or not picture.is_floating_point():
            raise ImageError(
                f"a tensor of shape {list(picture.shape)} and type {picture.dtype}; expected [H, W, C] of floats in 0..1"
            )
        batch = picture.detach()[None]
        if nan_pictures(batch):
            raise ImageError(
                "the picture holds NaN; expected values in 0..1. The step that made it has failed, often in half precision"
            )
        return tensor_to_pixels(batch, spec)[0]
    return torch.from_numpy(to_pixels(open_image(picture), spec)).permute(2, 0, 1)


def prepared_chunks(
    pictures: Sequence[Picture], spec: ImageSpec, chunk: int, ahead: int = 2
) -> Iterator[Prepared]:
    """Chunks of pictures in order, decoded in threads while the model is busy with earlier ones."""
    starts = range(0, len(pictures), chunk)
    threads = max(1, min(8, (os.cpu_count() or 2) - 1, len(pictures)))
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        pending = []
        for start in starts:
            pending.append(
                (start, [pool.submit(_attempt, picture, spec) for picture in pictures[start : start + chunk]])
            )
            if len(pending) > ahead:
                yield _collect(*pending.pop(0))
        for waiting in pending:
            yield _collect(*waiting)


def _attempt(picture: Picture, spec: ImageSpec) -> Tensor | str:
    """Pixels, or the reason why there are none."""
    with torch.inference_mode():
        try:
            return prepare(picture, spec)
        except ImageError as error:
            return str(error)


def _collect(start: int, futures: list[Future[Tensor | str]]) -> Prepared:
    members: list[int] = []
    pixels: list[Tensor] = []
    failures: dict[int, str] = {}
    for number, future in enumerate(futures, start=start):
        result = future.result()
        if isinstance(result, str):
            failures[number] = result
        else:
            members.append(number)
            pixels.append(result)
    if not pixels:
        return Prepared(members, None, failures)
    device = next((each.device for each in pixels if each.device.type != "cpu"), pixels[0].device)
    return Prepared(members, torch.stack([each.to(device) for each in pixels]), failures)
