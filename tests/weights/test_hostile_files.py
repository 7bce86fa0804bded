"""Files that are no checkpoint, or worse: each is refused in words, and nothing in it runs."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from imagereward_core.errors import WeightsError
from imagereward_core.weights.checkpoint import StateFile
from imagereward_core.weights.checkpoint.pickled import PickleRefusedError, read_pickle
from tests.support.weights.fakes import tiny_state


class Bomb:
    """Leaves a mark when a pickle that holds it is run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


def torch_zip(path: Path, table: bytes, **records: bytes) -> Path:
    """A file laid out as torch.save does, with the pickle and the records given."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", table)
        for name, content in records.items():
            archive.writestr(f"archive/data/{name.removeprefix('r')}", content)
    return path


def table_of(path: Path, content: object) -> bytes:
    torch.save(content, path)
    with zipfile.ZipFile(path) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "wrap", [lambda bomb: bomb, lambda bomb: {"w": bomb}, lambda bomb: [torch.zeros(1).tolist(), bomb]]
)
def test_a_pickle_that_would_run_code_is_refused_and_not_run(
    tmp_path: Path, protocol: int, wrap: Callable[[Bomb], object]
) -> None:
    marker = tmp_path / "marker"
    data = pickle.dumps(wrap(Bomb(marker)), protocol=protocol)
    path = torch_zip(tmp_path / "bomb.pt", data)
    with pytest.raises(WeightsError, match="refused"):
        StateFile(path).map()
    assert not marker.exists()
    pickle.loads(data)  # noqa: S301 (made above)
    assert marker.exists(), "the bomb itself must work, or this test shows nothing"


def test_the_error_names_what_the_pickle_wanted(tmp_path: Path) -> None:
    path = torch_zip(tmp_path / "bomb.pt", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
    with pytest.raises(WeightsError, match=r"asks for os\.system.*nothing of it was run"):
        StateFile(path).map()


@pytest.mark.parametrize("name", ["bomb.pt", "bomb.safetensors"])
def test_bare_pickles_and_tar_files_are_refused_unread(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Bomb(marker)))
    with pytest.raises(WeightsError, match=r"bare pickle"):
        StateFile(path).map()
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("pickle")
        entry.size = len(pickle.dumps(Bomb(marker)))
        archive.addfile(entry, io.BytesIO(pickle.dumps(Bomb(marker))))
    with pytest.raises(WeightsError, match="tar archive"):
        StateFile(path).map()
    assert not marker.exists()


def test_files_of_torch_before_1_6_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save(tiny_state(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match=r"torch before 1\.6"):
        StateFile(path).map()


def test_a_whole_pickled_module_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "module.pt"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match=r"torch\.nn\.modules\.linear\.Linear.*state_dict"):
        StateFile(path).map()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1786928314\n",
            "git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "web page"),
        (b"\n\n <html>", "web page"),
        (b"Entry not found", "text file that begins with 'Entry not found'"),
        (b'{"error": "not found"}', "JSON"),
        (b"\xff\xd8\xff\xe0" + bytes(600), "not a checkpoint"),
        (bytes(1000), "not a checkpoint"),
        (b"\x80", "bare pickle"),
        (b"PK\x03\x04", "cut short or damaged"),
    ],
)
@pytest.mark.parametrize("name", ["Reward.pt", "Reward.safetensors"])
def test_what_is_no_checkpoint_is_described(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=says):
        StateFile(path).layout()


def test_missing_files_and_folders_are_described(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        StateFile(tmp_path / "nothing.pt").map()
    with pytest.raises(WeightsError, match="is a folder"):
        StateFile(tmp_path).map()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_every_truncation_is_an_error_in_words(tmp_path: Path, suffix: str) -> None:
    data = WHOLE[suffix]
    cut = tmp_path / f"cut{suffix}"
    for length in range(0, len(data), 37):
        cut.write_bytes(data[:length])
        with pytest.raises(WeightsError):
            StateFile(cut).map()


def test_a_torchscript_program_is_described(tmp_path: Path) -> None:
    path = torch_zip(tmp_path / "script.pt", b"\x80\x02}.")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", b"\x80\x02).")
    with pytest.raises(WeightsError, match="TorchScript"):
        StateFile(path).map()


def test_a_zip_of_something_else_is_described(tmp_path: Path) -> None:
    path = tmp_path / "packed.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Reward.pt", b"inside")
    with pytest.raises(WeightsError, match=r"not a torch checkpoint.*unpack"):
        StateFile(path).map()


def test_a_compressed_record_is_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path / "a.pt", {"w": torch.zeros(64)})
    path = tmp_path / "packed.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", table)
        archive.writestr("archive/data/0", bytes(256))
    with pytest.raises(WeightsError, match="compressed"):
        StateFile(path).map()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(1).expand(10**6),
        torch.zeros(1).expand(10**12, 10**6),
        torch.zeros(4).as_strided((4, 4), (0, 1)),
    ],
)
def test_a_tensor_larger_than_what_is_stored_is_refused(tmp_path: Path, tensor: torch.Tensor) -> None:
    path = tmp_path / "huge.pt"
    torch.save({"w": tensor}, path)
    with pytest.raises(WeightsError, match="damaged: w says"):
        StateFile(path).map()


def test_a_tensor_of_absurd_shape_is_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path / "a.pt", {"w": torch.zeros(2, 3)})
    for shape in (
        b"\x8a\x0a" + b"\x7f" * 10 + b"K\x03\x86",
        b"(" + b"K\x01" * 4000 + b"t",
        b"K\x02K\x03K\x04\x87",
    ):
        bent = table.replace(b"K\x02K\x03\x86", shape, 1)
        assert bent != table
        with pytest.raises(WeightsError, match="refused: its pickle is damaged"):
            StateFile(torch_zip(tmp_path / "bent.pt", bent, r0=bytes(24))).map()


def test_a_record_that_is_not_aligned_is_read_all_the_same(tmp_path: Path) -> None:
    values = torch.tensor([1.5, -2.0, 3.25])
    table = table_of(tmp_path / "a.pt", {"w": values})
    offsets = set()
    for pad in range(4):
        path = tmp_path / "x.pt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/" + "p" * pad, b"")
            archive.writestr("archive/data.pkl", table)
            archive.writestr("archive/data/0", values.numpy().tobytes())
        offsets.add(path.read_bytes().index(values.numpy().tobytes()) % 4)
        assert torch.equal(StateFile(path).map()["w"], values)
    assert len(offsets) > 1


def test_tensors_cannot_reach_outside_their_storage_or_the_file(tmp_path: Path) -> None:
    table = table_of(tmp_path / "a.pt", {"w": torch.zeros(8)})
    for length in (0, 4, 31):
        with pytest.raises(WeightsError, match="damaged: w says"):
            StateFile(torch_zip(tmp_path / "short.pt", table, r0=bytes(length))).map()
    with pytest.raises(WeightsError, match="damaged: w says"):
        StateFile(torch_zip(tmp_path / "none.pt", table, r1=bytes(32))).map()
    assert StateFile(torch_zip(tmp_path / "right.pt", table, r0=bytes(32))).map()["w"].tolist() == [0.0] * 8
    beyond = table.replace(b"K\x08tq", b"K\x09tq", 1).replace(b"K\x00K\x08", b"K\x01K\x08", 1)
    assert beyond != table
    with pytest.raises(WeightsError, match="damaged: w says"):
        StateFile(torch_zip(tmp_path / "beyond.pt", beyond, r0=bytes(32))).map()


def test_a_table_of_contents_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path / "a.pt", {"w": torch.zeros(8)})
    path = torch_zip(tmp_path / "lies.pt", table.replace(b"K\x08", b"M\xff\xff"), r0=bytes(32))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"archive/data/0") - 46
    data[entry + 20 : entry + 28] = struct.pack("<2L", 0xFFFFF0, 0xFFFFF0)
    path.write_bytes(data)
    with pytest.raises(WeightsError):
        StateFile(path).map()


def packed(path: Path, bomb: str, length: int, says: int | None = None) -> Path:
    """A checkpoint whose entry ``bomb`` is deflated and inflates to ``length`` bytes; the table says ``says``."""
    table = table_of(path, tiny_state())
    with zipfile.ZipFile(path, "w") as archive:
        if bomb != "data.pkl":
            archive.writestr("archive/data.pkl", table)
        archive.writestr(f"archive/{bomb}", bytes(length), zipfile.ZIP_DEFLATED)
    if says is not None:
        content = path.read_bytes()
        path.write_bytes(content.replace(struct.pack("<L", length), struct.pack("<L", says)))
    return path


@pytest.mark.parametrize("bomb", ["data.pkl", "byteorder"])
@pytest.mark.parametrize("says", [None, 6])
def test_a_small_entry_that_inflates_without_end_is_not_inflated(
    tmp_path: Path, bomb: str, says: int | None
) -> None:
    path = packed(tmp_path / "bomb.pt", bomb, 96 * 1024 * 1024, says)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match=f"{bomb}|damaged"):
            StateFile(path).map()
        assert tracemalloc.get_traced_memory()[1] < 48 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_small_entry_packed_in_an_unusual_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    table = table_of(path, tiny_state())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", table, zipfile.ZIP_LZMA)
    with pytest.raises(WeightsError, match=r"data\.pkl is packed"):
        StateFile(path).map()


def test_a_deflated_table_of_contents_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"w": torch.ones(3)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            packing = zipfile.ZIP_STORED if "/data/" in name else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, packing)
    assert StateFile(path).map()["w"].tolist() == [1, 1, 1]


def test_an_empty_or_foreign_object_is_described(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    for content, says in (
        ({}, "empty"),
        ([torch.zeros(1)], "holds a list"),
        (torch.zeros(3), "holds a tensor"),
        ({"epoch": 3, "loss": 0.5}, r"2 of 2 entries are not \(epoch is a int, loss is a float\)"),
        ({"w": [torch.zeros(1)]}, "w is a list"),
    ):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=says):
            StateFile(path).map()


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([".pt", ".safetensors"]),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from([0, 1, 0x2F, 0x80, 0xFF])), min_size=1, max_size=6
    ),
)
def test_any_damage_is_either_harmless_or_an_error_in_words(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(WHOLE[suffix])
    for at, byte in damage:
        data[at % len(data)] = byte
    path = tmp_path_factory.mktemp("damage") / f"x{suffix}"
    path.write_bytes(data)
    try:
        state = StateFile(path).map()
    except WeightsError as error:
        assert str(path) in str(error)
        return
    assert all(tensor.reshape(-1).tolist() is not None for tensor in state.values())


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=200), st.integers(0, 250), st.integers(0, 255))
def test_no_pickle_whatsoever_does_more_than_fail(noise: bytes, at: int, byte: int) -> None:
    table = bytearray(SMALL_TABLE)
    table[at % len(table)] = byte
    for data in (noise, b"\x80\x02" + noise, bytes(table)):
        with contextlib.suppress(PickleRefusedError):
            read_pickle(data)


def _small_table() -> bytes:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(2, 2), "b": torch.nn.Parameter(torch.ones(1))}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


def _whole_files() -> dict[str, bytes]:
    buffer = io.BytesIO()
    torch.save(tiny_state(), buffer)
    packed = save({name: value.contiguous() for name, value in tiny_state().items()})
    return {".pt": buffer.getvalue(), ".safetensors": packed}


SMALL_TABLE = _small_table()
WHOLE = _whole_files()
