"""Verification finds a wrong checksum, a foreign layout, NaN, and a head that was never trained; remembered
checksums stay honest."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch

from imagereward_core.errors import WeightsError
from imagereward_core.weights import ledger
from imagereward_core.weights.card import WeightFile
from imagereward_core.weights.checkpoint.claims import VerifyReport, head_is_untrained, verify
from imagereward_core.weights.manifest import (
    manifest_path,
    read_manifest,
    recorded_manifest,
    safetensors_metadata,
    sha256_of,
    write_manifest,
)
from tests.support.weights.fakes import make_card, tiny_skeleton, tiny_state

SKELETON = {
    name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tiny_skeleton().state_dict().items()
}


def check(path: Path, state: dict[str, torch.Tensor], sha256: str | None = None) -> VerifyReport:
    torch.save(state, path)
    card = make_card(checkpoint=(WeightFile(name=path.name, sha256=sha256),))
    return verify(path, card, SKELETON, frozenset({"blip.position_ids"}))


def test_a_sound_checkpoint_has_no_problems(tmp_path: Path) -> None:
    report = check(tmp_path / "x.pt", tiny_state())
    assert report.ok and report.sha256 == sha256_of(tmp_path / "x.pt") and report.expected_sha256 is None


def test_a_wrong_checksum_is_a_problem(tmp_path: Path) -> None:
    report = check(tmp_path / "x.pt", tiny_state(), sha256="0" * 64)
    assert not report.ok and "expected " + "0" * 64 in report.problems[0]


def test_a_file_changed_after_its_download_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(tiny_state(), path)
    write_manifest(path, sha256_of(path), "owner/reward", "main", "c" * 40)
    report = check(path, tiny_state(5))
    assert [problem for problem in report.problems if "damaged or another file" in problem]


def test_damage_that_leaves_size_and_time_alone_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(tiny_state(), path)
    write_manifest(path, sha256_of(path))
    stamp = path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[data.index(tiny_state()["blip.tower.weight"].numpy().tobytes())] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stamp, stamp))
    report = verify(path, make_card(), SKELETON)
    assert report.mismatch.fits and "damaged or another file" in report.problems[0]


def test_a_file_of_ones_own_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(tiny_state(), path)
    write_manifest(path, sha256_of(path))
    os.utime(path, ns=(0, 1))
    assert check(path, tiny_state(5)).ok


def test_a_foreign_layout_is_a_problem(tmp_path: Path) -> None:
    state = tiny_state()
    del state["blip.tower.bias"], state["blip.position_ids"]
    report = check(tmp_path / "x.pt", state)
    assert report.mismatch.missing == ("blip.tower.bias",)
    assert "1 missing: blip.tower.bias" in report.problems[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_found(tmp_path: Path, value: float) -> None:
    state = tiny_state()
    state["blip.tower.weight"][3, 2] = value
    report = check(tmp_path / "x.pt", state)
    assert report.non_finite == ("blip.tower.weight",) and "NaN or infinity" in report.problems[0]


def head(scale: float | None) -> dict[str, torch.Tensor]:
    """ImageReward's head: as it begins (None), or with weights of a given size and biases that have moved."""
    widths = (768, 1024, 128, 64, 16, 1)
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}
    for index, wide, narrow in zip((0, 2, 4, 6, 7), widths, widths[1:], strict=False):
        deviation = 1 / 769 if scale is None else scale / wide**0.5
        state[f"mlp.layers.{index}.weight"] = torch.randn(narrow, wide) * deviation
        state[f"mlp.layers.{index}.bias"] = (
            torch.zeros(narrow) if scale is None else torch.randn(narrow) * 0.01
        )
    return state


def test_an_untrained_and_a_collapsed_head_are_told_from_a_trained_one() -> None:
    assert head_is_untrained(head(None))
    assert head_is_untrained(head(0.02))
    assert not head_is_untrained(head(0.8))
    assert not head_is_untrained({"blip.tower.weight": torch.zeros(2, 2)})


def test_an_untrained_head_is_a_problem(tmp_path: Path) -> None:
    state = tiny_state()
    for name in state:
        if name.startswith("mlp.") and name.endswith("bias"):
            state[name] = torch.zeros_like(state[name])
    assert "untrained or collapsed" in check(tmp_path / "x.pt", state).problems[0]


def test_verification_of_what_is_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"<html>")
    with pytest.raises(WeightsError, match="web page"):
        verify(path, make_card(), SKELETON)


LARGE = 17 * 1024 * 1024


def large_file(path: Path) -> Path:
    """A file that is worth remembering, of zeros that take no room."""
    with path.open("wb") as file:
        file.truncate(LARGE)
    return path


def test_a_large_file_is_read_once_and_nothing_is_left_beside_it(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = large_file(tmp_path / "large"), []
    digest = sha256_of(path, lambda *step: seen.append(step))
    assert seen[-1] == ("large", LARGE, LARGE) and len(seen) == 5
    assert [each.name for each in tmp_path.iterdir() if each != home] == ["large"]
    assert ledger.place() == home / ".cache" / "imagereward-curator" / "checksums.json"
    monkeypatch.setattr(ledger, "_here", {})  # as in another process
    assert sha256_of(path, lambda *step: pytest.fail("read again")) == digest
    assert sha256_of(path, lambda *step: seen.append(step), fresh=True) == digest and len(seen) == 10
    with path.open("r+b") as file:
        file.write(b"changed")
    os.utime(path, ns=(0, 12345))
    changed = sha256_of(path)
    assert changed != digest
    monkeypatch.setattr(ledger, "_here", {})
    assert sha256_of(path) == changed


def test_what_others_wrote_is_not_believed(tmp_path: Path) -> None:
    path = large_file(tmp_path / "x.pt")
    true = hashlib.sha256(bytes(LARGE)).hexdigest()
    assert write_manifest(path, "a" * 64) and sha256_of(path) == true


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "imagereward-checksums-1", "files": []}', "entry"])
def test_a_damaged_cache_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path = large_file(tmp_path / "x.pt")
    digest = sha256_of(path)
    where = ledger.place()
    assert where is not None
    content = where.read_text()
    where.write_text(content.replace(digest, "not hexadecimal".ljust(64)) if damage == "entry" else damage)
    monkeypatch.setattr(ledger, "_here", {})
    assert sha256_of(path) == digest and json.loads(where.read_text())["format"] == "imagereward-checksums-1"


def test_a_file_that_changes_while_it_is_read_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"one")

    def written_to(*_: object) -> None:
        path.write_bytes(b"one and more")

    sha256_of(path, written_to)
    assert sha256_of(path) == hashlib.sha256(b"one and more").hexdigest()


def test_a_note_follows_a_copy_but_does_not_hide_another_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "large"
    large_file(path)
    digest = sha256_of(path)
    write_manifest(path, digest, "owner/reward", "main", "c" * 40)
    os.utime(path, ns=(0, 12345))
    assert read_manifest(path) is None and sha256_of(path) == digest
    manifest = read_manifest(path)
    assert manifest is not None and (manifest.sha256, manifest.commit) == (digest, "c" * 40)
    with path.open("r+b") as file:
        file.write(b"changed")
    assert sha256_of(path) != digest and "damaged, or another file" in caplog.text
    recorded = recorded_manifest(path)
    assert recorded is not None and recorded.sha256 == digest


def test_notes_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"x")
    for note in (
        '{"description": "mine"}',
        "no json",
        "[1, 2]",
        '{"format": "imagereward-weights-1", "extra": 1}',
    ):
        manifest_path(path).write_text(note)
        assert not write_manifest(path, "a" * 64)
        assert manifest_path(path).read_text() == note and read_manifest(path) is None


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert not write_manifest(path, "a" * 64) and not manifest_path(path).exists()


def test_metadata_of_a_safetensors_file_is_read_and_anything_else_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for header, expected in (
        ({"__metadata__": {"a": "b", "n": 3}}, {"a": "b"}),
        ({"__metadata__": None}, {}),
        ([], {}),
    ):
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        assert safetensors_metadata(path) == expected
    for content in (b"", b"x", b"\xff" * 8 + b"{}", (10**7).to_bytes(8, "little") + b"{}"):
        path.write_bytes(content)
        assert safetensors_metadata(path) == {}
