"""Reading a checkpoint gives the numbers torch would give, from either format, whatever was wrapped around
them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.errors import WeightsError
from imagereward_core.weights.checkpoint import StateFile
from tests.support.weights.fakes import tiny_state

DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and found[name].shape == tensor.shape, name
        assert torch.equal(found[name], tensor), name


def odd_tensors() -> dict[str, torch.Tensor]:
    """Views, shared memory, parameters, empty and single numbers, and every dtype."""
    torch.manual_seed(0)
    base = torch.randn(6, 5)
    return {
        "transposed": base.t(),
        "offset": base[2:, 1:],
        "shared": base,
        "number": torch.tensor(3.5),
        "empty": torch.empty(0, 4),
        "parameter": torch.nn.Parameter(base.clone()),
        "frozen": torch.nn.Parameter(base.clone(), requires_grad=False),
        "ünïcode ключ": torch.ones(2),
        **{str(dtype): (torch.randn(3, 2) * 10).to(dtype) for dtype in DTYPES},
    }


def test_pt_files_read_as_torch_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "odd.pt"
    torch.save(odd_tensors(), path)
    assert_same(StateFile(path).map(), torch.load(path, map_location="cpu", weights_only=True))


def test_state_dicts_with_module_versions_read_as_torch_reads_them(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    path = tmp_path / "network.pt"
    torch.save(network.state_dict(), path)
    assert_same(StateFile(path).map(), torch.load(path, map_location="cpu", weights_only=True))


@settings(deadline=None, max_examples=60)
@given(
    shapes=st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=6),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 99),
)
def test_any_plain_tensors_survive_reading(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[list[int]], dtype: torch.dtype, seed: int
) -> None:
    torch.manual_seed(seed)
    state = {f"t{index}": (torch.randn(shape) * 9).to(dtype) for index, shape in enumerate(shapes)}
    path = tmp_path_factory.mktemp("any") / "any.pt"
    torch.save(state, path)
    assert_same(StateFile(path).map(), state)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state},
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}, "note": "x"},
        lambda state: {f"module.{name}": value for name, value in state.items()},
        lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
    ],
)
def test_wrappers_of_trainers_are_taken_off(tmp_path: Path, wrap: object) -> None:
    path = tmp_path / "wrapped.pt"
    torch.save(wrap(tiny_state()), path)  # type: ignore[operator]
    assert_same(StateFile(path).map(), tiny_state())


def test_safetensors_read_the_same_as_pt_and_by_content_not_by_suffix(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    state = {name: value.contiguous() for name, value in tiny_state().items()}
    torch.save(state, tmp_path / "pt.safetensors")
    safetensors.save_file({f"module.{name}": value for name, value in state.items()}, tmp_path / "st.pt")
    assert_same(StateFile(tmp_path / "pt.safetensors").map(), state)
    assert_same(StateFile(tmp_path / "st.pt").map(), state)
    expected = {name: (value.dtype, tuple(value.shape)) for name, value in state.items()}
    assert (
        StateFile(tmp_path / "pt.safetensors").layout() == StateFile(tmp_path / "st.pt").layout() == expected
    )


def test_writing_to_a_tensor_never_changes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(tiny_state(), path)
    before = path.read_bytes()
    for tensor in StateFile(path).map().values():
        tensor.fill_(7)
    assert path.read_bytes() == before


@pytest.mark.parametrize("limit", [1, 100, 10**9])
def test_chunks_give_every_tensor_once(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "x.pt"
    torch.save(tiny_state(), path)
    assert_same(dict(StateFile(path).chunks(limit=limit)), tiny_state())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs file names of any bytes")
@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_a_name_that_nothing_can_open_is_said_and_the_file_not_called_damaged(
    tmp_path: Path, kind: str
) -> None:
    if kind == "pt":
        torch.save(tiny_state(), tmp_path / "a.pt")
    else:
        pytest.importorskip("safetensors.torch").save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    path = (tmp_path / f"a.{kind}").rename(tmp_path / f"{os.fsdecode(bytes([255]))}.{kind}")
    with pytest.raises(WeightsError, match="no UTF-8.*rename"):
        StateFile(path).map()


def test_odd_folder_names_work(tmp_path: Path) -> None:
    folder = tmp_path / "模型 d'été 🎨"
    folder.mkdir()
    torch.save(tiny_state(), folder / "Réward 1.pt")
    assert_same(StateFile(folder / "Réward 1.pt").map(), tiny_state())
