"""Independent implementations that tests compare ours with; imported only where they are installed."""

from __future__ import annotations

from types import ModuleType

_declared: list[object] = []


def import_torchvision() -> ModuleType:
    """Import torchvision, also where its compiled operators do not fit the installed torch.

    A torchvision built for CUDA refuses to import beside a CPU build of torch because ``torchvision::nms`` is missing. The
    transforms the tests compare with need no compiled operator, so declaring the two schemas is enough.
    """
    import pytest
    import torch

    if not _declared:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            try:
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            except RuntimeError:  # a matching torchvision has already declared it
                pass
        _declared.append(library)
    return pytest.importorskip("torchvision")


def import_timm() -> ModuleType:
    """Import timm after torchvision has been made importable, since timm pulls torchvision in."""
    import pytest

    import_torchvision()
    return pytest.importorskip("timm")


def import_peft() -> ModuleType:
    """Import peft after torchvision has been made importable, since transformers pulls torchvision in."""
    import pytest

    import_torchvision()
    return pytest.importorskip("peft")
