"""A whole pickled model is read as data: its tensors come out, and nothing in it runs, whatever it holds."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from imagereward_core.errors import WeightsError
from imagereward_core.weights.checkpoint.keymaps import KEYMAPS, KeyMap, as_named
from imagereward_core.weights.checkpoint.pickled import PickleRefusedError
from imagereward_core.weights.checkpoint.reader import StateFile
from imagereward_core.weights.checkpoint.whole_model import read_model

WHOLE = KeyMap("a model", as_named, whole_model=True)


class Bomb:
    """Leaves a mark when a pickle that holds it is run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


class Model(nn.Module):
    """A model with the things models carry."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.GELU())
        self.second = nn.Linear(4, 2)
        self.tied = self.second
        self.nothing: nn.Module | None = None
        self.register_module("none", None)
        self.register_parameter("absent", None)
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("made_anew", torch.ones(2), persistent=False)
        self.settings = {"sizes": (1, 2), 3: [None, True, 2.5], "dtype": torch.float16, "names": {"a", "b"}}
        self.act = nn.functional.gelu


def test_the_tensors_are_those_of_the_state_dict(tmp_path: Path) -> None:
    model = Model()
    path = tmp_path / "model.pt"
    torch.save(model, path)
    found, expected = StateFile(path, WHOLE).map(), model.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype, name


@pytest.mark.parametrize(
    "place", ["attribute", "parameter", "buffer", "module", "dictionary", "set", "itself"]
)
def test_a_bomb_anywhere_in_a_model_does_not_go_off(tmp_path: Path, place: str) -> None:
    marker = tmp_path / "marker"
    model: Any = Model()
    bomb = Bomb(marker)
    if place == "itself":
        model = bomb
    elif place == "set":
        model._non_persistent_buffers_set = bomb
    elif place == "dictionary":
        model.settings["bomb"] = [bomb]
    elif place == "attribute":
        model.bomb = bomb
    else:
        getattr(model, f"_{place}s")["bomb"] = bomb
    path = tmp_path / "model.pt"
    torch.save(model, path)
    if place in ("module", "itself"):
        try:
            assert "bomb" not in str(StateFile(path, WHOLE).names)
        except WeightsError as error:
            assert "nothing of it was run" in str(error)
    else:
        assert set(StateFile(path, WHOLE).names) >= {"kept", "second.weight"}
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists(), "the bomb itself must work, or this test shows nothing"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_bomb_in_any_protocol_does_not_go_off(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(PickleRefusedError):
        read_model(pickle.dumps(Bomb(marker), protocol=protocol))
    assert not marker.exists()


def test_whole_models_are_refused_where_only_one_scorer_is_published_so(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(Model(), path)
    for keymap in (None, *(keymap for name, keymap in KEYMAPS.items() if name != "mps")):
        with pytest.raises(WeightsError, match="refused"):
            StateFile(path, keymap)
    with pytest.raises(WeightsError, match="refused"):
        StateFile(path).map()


def test_a_model_inside_itself_is_refused() -> None:
    model = Model()
    model._modules["again"] = model
    with pytest.raises(PickleRefusedError, match="in themselves"):
        read_model(table(model))


def test_modules_that_multiply_are_refused_in_time() -> None:
    module: nn.Module = nn.Linear(1, 1)
    for _ in range(30):
        module = nn.ModuleList([module, module])
    with pytest.raises(PickleRefusedError, match="more than 100,000 modules"):
        read_model(table(module))


def test_tensors_that_multiply_are_refused_in_time() -> None:
    wide = nn.Module()
    for number in range(400):
        wide.register_parameter(f"p{number}", None)
    wide._parameters.update(dict.fromkeys(wide._parameters, nn.Parameter(torch.ones(1))))
    with pytest.raises(PickleRefusedError, match="more than 100,000 tensors"):
        read_model(table(nn.ModuleList([wide] * 300)))


def test_a_model_without_tensors_is_refused_by_its_name() -> None:
    with pytest.raises(
        PickleRefusedError, match=r"torch\.nn\.modules\.activation\.GELU, which has no tensors"
    ):
        read_model(table(nn.GELU()))


def table(content: object) -> bytes:
    """The pickle ``torch.save`` writes for ``content``."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


TABLE = table(Model())


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(TABLE) - 1), st.integers(0, 255)), max_size=4),
    st.integers(1, len(TABLE)),
)
def test_a_damaged_model_is_read_or_refused_and_nothing_else(
    changes: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(TABLE)
    for place, value in changes:
        damaged[place] = value
    for data in (bytes(damaged), bytes(damaged[:length])):
        try:
            read_model(data)
        except PickleRefusedError:
            pass
