"""Vectors of other programs: the right row for each prompt, whatever their length and precision, and clear words where they are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagereward_lab.data.notes import Notes
from imagereward_lab.prompts.errors import SelectionError
from imagereward_lab.prompts.sources.collected import Prompts
from imagereward_lab.prompts.vectors.given import given_vectors

PROMPTS = Prompts(["a", "", "b", "A", "c"], Notes())
FULL = np.random.default_rng(0).normal(size=(5, 3))


def saved(folder: Path, matrix: np.ndarray, form: str = "npy") -> Path:
    path = folder / f"vectors.{form}"
    if form == "npy":
        np.save(path, matrix)
        return path
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    kind = pa.list_(pa.float32()) if form == "parquet" else pa.list_(pa.float64(), matrix.shape[1])
    path = folder / "vectors.parquet"
    parquet.write_table(
        pa.table({"id": range(len(matrix)), "Embedding": pa.array(matrix.tolist(), kind)}), path
    )
    return path


def made(path: Path, begin: int = 0, column: str = "") -> np.ndarray:
    return np.concatenate([*given_vectors(path, PROMPTS, column).rows(begin), np.empty((0, 3))])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("form", ["npy", "parquet", "fixed"])
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [0, 2, 3, 4]])
@pytest.mark.parametrize("begin", [0, 1, 3])
def test_each_prompt_gets_its_own_row(
    dtype: type, form: str, rows: list[int], begin: int, tmp_path: Path
) -> None:
    matrix = (100 * FULL[rows]).astype(dtype)
    found = made(saved(tmp_path, matrix, form), begin)
    expected = (100 * FULL[[0, 2, 4]]).astype(dtype).astype(np.float64)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(found, expected[begin:], atol=1e-6)


def test_lengths_beyond_what_squares_can_hold(tmp_path: Path) -> None:
    found = made(saved(tmp_path, np.concatenate([FULL[:2] * 1e200, FULL[2:] * 1e-200])))
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("form", ["npy", "parquet"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda matrix: matrix.__setitem__((4, 1), np.nan), "row 5: found NaN or infinity"),
        (lambda matrix: matrix.__setitem__((2, 0), np.inf), "row 3: found NaN or infinity"),
        (
            lambda matrix: matrix.__setitem__(slice(2, 5), 0),
            "row 3: found nothing but zeros.*1 of the rows behind",
        ),
    ],
)
def test_vectors_without_a_direction_are_named(form: str, change: object, said: str, tmp_path: Path) -> None:
    matrix = FULL.copy()
    change(matrix)
    with pytest.raises(SelectionError, match=said):
        made(saved(tmp_path, matrix, form))


@pytest.mark.parametrize("count", [0, 2, 3, 6])
def test_another_number_of_rows_is_told(count: int, tmp_path: Path) -> None:
    with pytest.raises(
        SelectionError,
        match=f"found {count} vectors; expected 4, one for every row with a prompt or 5, one for every row",
    ):
        given_vectors(saved(tmp_path, np.resize(FULL, (count, 3))), PROMPTS)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.ones((5, 3), np.int64), "found int64"),
        (np.ones(5), r"found float64 \[5\]"),
        (np.ones((5, 0)), r"found float64 \[5, 0\]"),
        (np.array([{"a": 1}], dtype=object), "cannot be read as .npy"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_told(matrix: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", matrix, allow_pickle=True)
    with pytest.raises(SelectionError, match=said):
        given_vectors(tmp_path / "v.npy", PROMPTS)


def test_files_that_are_something_else_are_told(tmp_path: Path) -> None:
    for content in (b"", b"no numbers", b"\x93NUMPY\x01\x00"):
        (tmp_path / "v.npy").write_bytes(content)
        with pytest.raises(SelectionError, match="cannot be read as .npy"):
            given_vectors(tmp_path / "v.npy", PROMPTS)
    np.savez(tmp_path / "v.npz", FULL)
    with pytest.raises(SelectionError, match="several arrays"):
        given_vectors(tmp_path / "v.npz", PROMPTS)
    with pytest.raises(SelectionError, match="no such file"):
        given_vectors(tmp_path / "w.npy", PROMPTS)
    with pytest.raises(SelectionError, match="goes with Parquet"):
        given_vectors(saved(tmp_path, FULL), PROMPTS, "Embedding")


def test_columns_of_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = saved(tmp_path, FULL, "parquet")
    assert np.allclose(made(path, column="EMBEDDING"), made(path))
    with pytest.raises(SelectionError, match="found int64 in the column id"):
        given_vectors(path, PROMPTS, "id")
    with pytest.raises(SelectionError, match="--vectors-column|no column 'other'"):
        given_vectors(path, PROMPTS, "other")
    lists = FULL.tolist()
    lists[2] = [1.0, 2.0]
    parquet.write_table(pa.table({"vector": lists}), path)
    with pytest.raises(SelectionError, match="row 3: found a vector of 2 numbers; expected 3"):
        made(path)
    parquet.write_table(pa.table({"vector": [FULL[0].tolist(), None, *FULL[2:].tolist()]}), path)
    with pytest.raises(SelectionError, match="row 2: found a vector of 0 numbers"):
        made(path)
