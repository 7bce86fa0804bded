"""Nearest neighbours by faiss, for millions: only vectors in nearby cells are compared, so that a few neighbours are missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.extras import MissingPackageError
from .exact import nearest_of
from .supporters import IntArray

_LOOKED_AT = 64
"""Cells that are searched for each vector."""
_TAUGHT_BY = 64
"""Vectors for each cell from which the cells are made."""
_AT_ONCE = 16384
_ASKED = 512


def faiss_module() -> Any:
    """The module ``faiss``.

    Raises:
        MissingPackageError: It is not installed, or broken.
    """
    try:
        import faiss
    except ImportError as error:
        raise MissingPackageError(
            f"--search faiss needs the package faiss, which cannot be loaded ({error}). Install it with: pip install "
            "'imagereward-curator[faiss]', or leave --search out"
        ) from error
    return faiss


def nearby(vectors: NDArray[np.floating], k: int, begin: int = 0) -> Iterator[IntArray]:
    """For the vectors from ``begin`` on, in order, up to ``k`` near others, the nearest first: int32 [n, k] for the next n vectors.

    All vectors are held in memory.

    Args:
        vectors: float [N, d] of length 1.
        k: Less than N.
        begin: The first vector that is asked about.

    Raises:
        MissingPackageError: faiss is not installed.
    """
    faiss = faiss_module()
    total, width = vectors.shape
    cells = max(
        1, min(int(4 * total**0.5), total // 39)
    )  # fewer vectors a cell than that, and faiss complains
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, cells, faiss.METRIC_INNER_PRODUCT)
    step = max(1, total // (cells * _TAUGHT_BY))
    index.train(np.ascontiguousarray(vectors[::step], np.float32))
    for start in range(0, total, _AT_ONCE):
        index.add(np.ascontiguousarray(vectors[start : start + _AT_ONCE], np.float32))
    index.nprobe = min(_LOOKED_AT, cells)
    for start in range(begin, total, _AT_ONCE):
        asking = np.ascontiguousarray(vectors[start : start + _AT_ONCE], np.float32)
        found = index.search(asking, k + 1)[1]
        yield _without_own(found, start)


def _without_own(found: NDArray[np.int64], start: int) -> IntArray:
    """Neighbours without the vector itself; where it is not among them, without the last."""
    own = found == np.arange(start, start + len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(found), -1).astype(np.int32)


def recall_of(vectors: NDArray[np.floating], found: IntArray, device: torch.device, seed: int) -> float:
    """The share of the true neighbours among those found, over some vectors drawn by ``seed``."""
    drawn = np.random.default_rng(seed).permutation(len(vectors))[:_ASKED]
    true = nearest_of(vectors, drawn, found.shape[1], device)
    right = sum(len(np.intersect1d(rows, found[point])) for rows, point in zip(true, drawn))
    return right / true.size
