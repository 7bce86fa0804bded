"""The local runtime picks a device and a precision, and tells a full device from a broken program."""

from __future__ import annotations

import pytest
import torch

from imagereward_core import runtime
from imagereward_core.errors import Cancelled
from imagereward_core.runtime import LocalRuntime, out_of_memory, pick_device, pick_dtype


def test_cpu_is_exact_by_default():
    assert LocalRuntime("cpu").dtype == torch.float32


def test_auto_device_can_be_used():
    torch.zeros(1, device=pick_device("auto"))


def test_a_named_precision_is_taken(monkeypatch):
    monkeypatch.setattr(runtime, "cpu_has_fp16", lambda: True)
    cpu = torch.device("cpu")
    assert [pick_dtype(name, cpu) for name in ("fp32", "bf16", "fp16")] == [
        torch.float32,
        torch.bfloat16,
        torch.float16,
    ]


def test_fp16_on_a_processor_without_it_becomes_fp32_and_that_is_said(monkeypatch, caplog):
    monkeypatch.setattr(runtime, "cpu_has_fp16", lambda: False)
    assert LocalRuntime("cpu", "fp16").dtype == torch.float32
    assert [record.getMessage() for record in caplog.records] == [runtime.NO_FP16]
    assert pick_dtype("fp16", torch.device("cuda")) == torch.float16
    assert pick_dtype("bf16", torch.device("cpu")) == torch.bfloat16 and len(caplog.records) == 1


@pytest.mark.parametrize(
    ("told", "has"), [("flags\t\t: fpu avx512f f16c", False), ("flags : fpu avx512_fp16", True)]
)
def test_without_an_answer_from_torch_the_system_is_asked_what_the_processor_can(monkeypatch, told, has):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(runtime.sys, "platform", "linux")
    monkeypatch.setattr(runtime.Path, "read_text", lambda *_, **__: f"processor: 0\n{told}\n")
    assert runtime.cpu_has_fp16() is has


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="fp8.*expected"):
        LocalRuntime("cpu", "fp8")


def test_full_devices_are_recognised_and_bugs_are_not():
    assert out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    assert out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))


def test_cancelling_raises_and_not_cancelling_does_not():
    LocalRuntime("cpu").check_cancelled()
    with pytest.raises(Cancelled):
        LocalRuntime("cpu", cancelled=lambda: True).check_cancelled()


def test_a_module_is_moved_to_the_device():
    module = torch.nn.Linear(2, 2, device="meta").to_empty(device="cpu")
    with LocalRuntime("cpu").resident(module):
        assert module.weight.device.type == "cpu"
