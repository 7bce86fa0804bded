"""A file that is not all there is told by its ends, without torch and without reading its tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from imagereward_core.weights.formats import defect
from imagereward_core.weights.locate import WeightSettings, is_ready
from tests.support.weights.fakes import TinyReward, make_card, tiny_state


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_file(TinyReward().state_dict(), folder / "a.safetensors", {"made": "by a test"})
    torch.save(TinyReward().state_dict(), folder / "a.pt")
    return folder


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt"])
@given(share=st.floats(0, 1, exclude_max=True))
def test_every_beginning_of_a_checkpoint_lacks_something_and_the_whole_nothing(
    whole: Path, name: str, share: float
) -> None:
    data = (whole / name).read_bytes()
    part = whole / f"part{Path(name).suffix}"
    part.write_bytes(data[: int(share * len(data))])
    assert defect(whole / name) == "" and str(part) in defect(part)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!doctype html>", "web page"),
        ((9).to_bytes(8, "little") + b'{"a": 1} ', "table of contents"),
        ((9).to_bytes(8, "little") + b"{" + b"\xff" * 8, "table of contents"),
    ],
)
def test_what_is_no_checkpoint_says_so(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    assert words in defect(tmp_path / "a.safetensors")
    assert "does not exist" in defect(tmp_path / "none.safetensors")


def test_a_scorer_is_ready_with_all_its_files_and_no_sooner(tmp_path: Path, home: Path) -> None:
    card, where = make_card(), WeightSettings(folders=(tmp_path / "models",))
    folder = tmp_path / "models" / card.folder
    folder.mkdir(parents=True)
    assert not is_ready(card, where)
    (folder / "Reward.safetensors").touch()
    (folder / "vocab.txt").write_bytes(b"[PAD]\n[CLS]\n[SEP]\nstar\n")
    assert not is_ready(card, where)
    save_file(tiny_state(), folder / "Reward.safetensors")
    assert is_ready(card, where)
    (folder / "vocab.txt").unlink()
    assert not is_ready(card, where)
