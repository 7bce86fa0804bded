"""The exact nearest neighbours by cosine, block by block, so that memory does not grow with the number of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .supporters import IntArray


@dataclass(frozen=True)
class Blocks:
    """How many vectors are compared with how many at once.

    Attributes:
        rows: Vectors whose neighbours are looked for.
        columns: Vectors they are compared with; a matrix of rows times columns similarities is in memory.
        first: Columns of the first comparison, which are all sorted.
    """

    rows: int = 2048
    columns: int = 8192
    first: int = 2048


ON_DEVICE = Blocks(rows=8192, columns=32768)
"""On an accelerator, where larger pieces are faster: about 3 GB."""


def nearest(
    vectors: NDArray[np.floating], k: int, device: torch.device, begin: int = 0, blocks: Blocks | None = None
) -> Iterator[IntArray]:
    """For the vectors from ``begin`` on, in order, the ``k`` others with the highest cosine, the highest first; of equal ones the first.

    A similarity that is not above the k-th best so far is never looked at again. So after the first columns nearly all the time goes into
    the products of matrices.

    Args:
        vectors: float [N, d] of length 1, may be mapped from a file.
        k: Less than N.
        device: Where products are computed, in float32.
        begin: The first vector that is asked about.
        blocks: Sizes of the pieces; by default those that suit the device.

    Yields:
        int32 [n, k] for the next n vectors.
    """
    sizes = blocks or (Blocks() if device.type == "cpu" else ON_DEVICE)
    for start in range(begin, len(vectors), sizes.rows):
        yield nearest_of(vectors, np.arange(start, min(start + sizes.rows, len(vectors))), k, device, sizes)


def nearest_of(
    vectors: NDArray[np.floating],
    points: NDArray[np.int64],
    k: int,
    device: torch.device,
    blocks: Blocks | None = None,
) -> IntArray:
    """As :func:`nearest`, for some vectors by their numbers at once: int32 [n, k]."""
    sizes = blocks or Blocks()
    asking = _moved(vectors[points], device)
    own = torch.from_numpy(points).to(device)
    values = torch.full((len(points), k), -torch.inf, device=device)
    places = torch.zeros((len(points), k), dtype=torch.int64, device=device)
    low = 0
    while low < len(vectors):
        high = min(len(vectors), low + (sizes.columns if low else max(k + 1, sizes.first)))
        alike = asking @ _moved(vectors[low:high], device).T
        here = ((own >= low) & (own < high)).nonzero()[:, 0]
        alike[here, own[here] - low] = -torch.inf
        _merge(values, places, alike, low)
        low = high
    return places.to(torch.int32).cpu().numpy()


def _merge(values: Tensor, places: Tensor, alike: Tensor, low: int) -> None:
    """Takes into the best so far what is better than the last of them.

    Args:
        values: Cosines of the best so far, float32 [R, k], descending; changed in place.
        places: Whose they are, int64 [R, k]; changed in place.
        alike: Cosines of the next vectors, float32 [R, C].
        low: The number of the first of these.
    """
    better = alike > values[:, -1:]  # an equal one comes later in order, so it stays behind
    rows, columns = better.nonzero(as_tuple=True)
    if not len(rows):
        return
    counts = torch.bincount(rows, minlength=len(values))
    within = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    # Rows with many are few once the first columns are past; they would make the others' room as wide as theirs.
    for some in (counts > values.shape[1], (counts > 0) & (counts <= values.shape[1])):
        chosen = some.nonzero()[:, 0]
        if not len(chosen):
            continue
        number = torch.zeros(len(values), dtype=torch.int64, device=rows.device)
        number[chosen] = torch.arange(len(chosen), device=rows.device)
        these = some[rows]
        at = number[rows[these]], within[these]
        shape = (len(chosen), int(counts[chosen].max()))
        new_values = torch.full(shape, -torch.inf, device=rows.device)
        new_places = torch.zeros(shape, dtype=torch.int64, device=rows.device)
        new_values[at] = alike[rows[these], columns[these]]
        new_places[at] = columns[these] + low
        all_values = torch.cat([values[chosen], new_values], dim=1)
        all_places = torch.cat([places[chosen], new_places], dim=1)
        best, order = all_values.sort(dim=1, descending=True, stable=True)
        values[chosen] = best[:, : values.shape[1]]
        places[chosen] = all_places.gather(1, order[:, : values.shape[1]])


def _moved(vectors: NDArray[np.floating], device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(vectors, dtype=np.float32)).to(device)
