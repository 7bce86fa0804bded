"""The machine and the libraries a measurement was made with, without names of hosts, users or folders."""

from __future__ import annotations

import os
import platform
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

FLAGS = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_fp16",
    "avx_vnni",
    "avx512_vnni",
    "amx_tile",
    "amx_bf16",
    "amx_fp16",
    "amx_int8",
)
PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "numpy",
    "pillow",
    "safetensors",
    "timm",
    "torchvision",
    "image-reward",
)


def describe() -> dict[str, Any]:
    """Date, processor, memory, accelerator, system and versions, fit for JSON."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "torch_threads": torch.get_num_threads(),
            "flags": _flags(),
            "memory_gib": _memory_gib(),
            "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "other_load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def peak_rss_mib() -> float:
    """The most memory this process has had in RAM at once, in MiB."""
    peak = memory_mib("VmHWM")
    if peak is not None:
        return peak
    import resource  # counts that of the parent too, from before this process became a program of its own

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


def rss_mib() -> float:
    """Memory of this process that is in RAM now, in MiB; where that is not known, the most it ever was."""
    now = memory_mib("VmRSS")
    return peak_rss_mib() if now is None else now


def memory_mib(field: str) -> float | None:
    """A field of the system's page about this process, in MiB; None where there is no such page."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cpuinfo(field: str) -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == field:
                return value.strip()
    return ""


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _flags() -> list[str]:
    present = set(_cpuinfo("flags").split())
    return [flag for flag in FLAGS if flag in present]


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
