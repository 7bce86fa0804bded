"""Neighbours found block by block are those that a whole matrix has, of equal ones the first."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.prompts.graph.exact import Blocks, nearest

CPU = torch.device("cpu")


def whole(vectors: np.ndarray, k: int) -> np.ndarray:
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    return np.argsort(-alike, axis=1, kind="stable")[:, :k]


@settings(max_examples=80)
@given(st.data())
def test_blocks_find_what_the_whole_matrix_has(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 70))
    k = data.draw(st.integers(1, count - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    # Whole numbers: products are exact, and many are equal.
    vectors = rng.integers(-2, 3, size=(count, 4)).astype(
        data.draw(st.sampled_from([np.float32, np.float16]))
    )
    if data.draw(st.booleans()):
        vectors = vectors[np.lexsort(vectors.T)]  # alike ones side by side
    sizes = Blocks(*(data.draw(st.integers(1, 30)) for _ in range(3)))
    begin = data.draw(st.integers(0, count))
    found = list(nearest(vectors, k, CPU, begin, sizes))
    expected = whole(vectors.astype(np.float32), k)[begin:]
    assert np.array_equal(np.concatenate(found) if found else np.empty((0, k)), expected)
    assert all(each.dtype == np.int32 for each in found)


@pytest.mark.parametrize("sizes", [None, Blocks(rows=100, columns=300, first=64)])
def test_directions_in_many_dimensions(sizes: Blocks | None) -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(3000, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = np.concatenate(list(nearest(vectors, 20, CPU, blocks=sizes)))
    alike = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(alike, -2)
    expected = whole(vectors.astype(np.float64), 20)
    different = np.nonzero((found != expected).any(axis=1))[0]
    for row in different:  # two that float32 cannot tell apart may change places
        assert np.allclose(alike[row, found[row]], alike[row, expected[row]], atol=1e-6)
    assert len(different) < 30
