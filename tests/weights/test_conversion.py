"""A conversion keeps every number, appears whole or not at all, and writes over nothing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from imagereward_core.errors import WeightsError
from imagereward_core.files.locks import exclusive
from imagereward_core.weights.checkpoint import StateFile, conversion, convert
from imagereward_core.weights.manifest import read_manifest, safetensors_metadata, sha256_of
from tests.support.weights.fakes import ROOT, run_script, sparse_safetensors, tiny_state


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Reward.pt"
    state = tiny_state()
    state["tied"] = state["blip.tower.weight"]
    state["transposed"] = state["blip.tower.weight"].t()
    state["half"] = torch.randn(3).half()
    state["brain"] = torch.randn(5).bfloat16()
    state["flags"] = torch.tensor([True, False, True])
    state["number"] = torch.tensor(2.5)
    state["none"] = torch.empty(0, 3)
    torch.save(state, path)
    return path


def test_every_number_is_kept_and_read_alike_by_the_formats_own_library(source: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    before = source.read_bytes()
    report = convert(source, source.with_suffix(".safetensors"))
    expected = torch.load(source, weights_only=True)
    for found in (StateFile(report.target).map(), safetensors.load_file(report.target)):
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
    assert source.read_bytes() == before
    assert (
        report.tensors == len(expected) and report.size == report.target.stat().st_size and not report.reused
    )


def test_the_target_says_what_it_was_made_from_and_is_vouched_for(source: Path) -> None:
    report = convert(source, source.with_suffix(".safetensors"))
    assert report.source_sha256 == sha256_of(source, fresh=True)
    assert safetensors_metadata(report.target) == {
        "format": "pt",
        "source": "Reward.pt",
        "source_sha256": report.source_sha256,
    }
    manifest = read_manifest(report.target)
    assert manifest is not None and manifest.sha256 == sha256_of(report.target, fresh=True)


def test_an_earlier_conversion_is_used_again(source: Path) -> None:
    first = convert(source, source.with_suffix(".safetensors"))
    stamp = first.target.stat().st_mtime_ns
    second = convert(source, first.target)
    assert second.reused and second.target.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("kind", ["text", "other weights", "other dtype"])
def test_a_different_file_is_never_written_over(source: Path, kind: str) -> None:
    target = source.with_suffix(".safetensors")
    if kind == "text":
        target.write_bytes(b"somebody's notes")
    elif kind == "other weights":
        other = source.with_name("other.pt")
        torch.save(tiny_state(9), other)
        convert(other, target)
    else:
        convert(source, target)
        half = {name: each.half() for name, each in StateFile(target).map().items()}
        save_file(half, target, safetensors_metadata(target))
    before = target.read_bytes()
    with pytest.raises(WeightsError, match="left as it is"):
        convert(source, target)
    assert target.read_bytes() == before


@pytest.mark.parametrize("moment", ["writing", "flushing", "naming"])
def test_an_interruption_leaves_no_target(source: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    target = source.with_suffix(".safetensors")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moment == "writing":
            seen: list[torch.Tensor] = []
            patch.setattr(
                conversion,
                "bytes_of",
                lambda tensor: stop() if len(seen) == 3 else seen.append(tensor) or b"",
            )
        elif moment == "flushing":
            patch.setattr(os, "fsync", stop)
        else:
            patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            convert(source, target)
    assert not target.exists()
    assert [path.name for path in target.parent.iterdir() if path.suffix == ".tmp"] == []
    assert not convert(source, target).reused


KILLED = """
import os, sys
from pathlib import Path
from imagereward_core.weights.checkpoint import conversion, convert
written = []
def die(tensor, original=conversion.bytes_of):
    written.append(tensor)
    if len(written) == 4:
        os._exit(9)
    return original(tensor)
conversion.bytes_of = die
convert(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_kill_leaves_only_what_the_next_conversion_overwrites(source: Path) -> None:
    target = source.with_suffix(".safetensors")
    killed = run_script(KILLED, source, target)
    assert killed.returncode == 9 and not target.exists()
    leftover = target.with_name(f".{target.name}.tmp")
    assert leftover.exists()
    convert(source, target)
    assert not leftover.exists() and set(StateFile(target).names) == set(StateFile(source).names)


def test_a_full_disk_is_noticed_before_writing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(source.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=10))
    with pytest.raises(WeightsError, match="no room"):
        convert(source, source.with_suffix(".safetensors"))
    assert not list(source.parent.glob("*.tmp"))


def test_a_disk_that_fills_up_meanwhile_leaves_no_target(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        convert(source, source.with_suffix(".safetensors"))
    assert [
        path.name
        for path in source.parent.iterdir()
        if "safetensors" in path.name and "lock" not in path.name
    ] == []


def test_two_programs_do_not_write_the_same_file(source: Path) -> None:
    target = source.with_suffix(".safetensors")
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom imagereward_core.files.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(target)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(WeightsError, match="another program is writing"):
            convert(source, target)
        waits: list[float] = []

        def release() -> None:
            waits.append(time.monotonic())
            other.communicate()

        with exclusive(target, release):
            assert len(waits) == 1
    assert not convert(source, target).reused


def test_only_safetensors_are_made(source: Path) -> None:
    for target in (source, source.with_suffix(".bin")):
        with pytest.raises(WeightsError, match=r"ends in \.safetensors"):
            convert(source, target)


MEASURE = """
import sys
from pathlib import Path
from imagereward_core.weights.checkpoint import convert
from tests.support.weights.fakes import peak_memory

before = peak_memory()
convert(Path(sys.argv[1]), Path(sys.argv[2]))
print(peak_memory() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
def test_memory_stays_at_a_few_chunks(tmp_path: Path) -> None:
    """384 MiB are converted with less than two chunks of 64 MiB and some room to spare."""
    source = tmp_path / "wide.safetensors"
    sparse_safetensors(source, tensors=24, numbers=4 * 1024 * 1024)
    run = run_script(MEASURE, source, tmp_path / "copy.safetensors")
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 2 * 64 + 50, f"{run.stdout.strip()} MiB"
