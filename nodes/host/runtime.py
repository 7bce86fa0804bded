"""The core's Runtime inside ComfyUI: the host decides what lies on the device, shows progress, and may interrupt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from ...imagereward_core.runtime import DEVICES, Precision, precision_notice
from ...imagereward_core.scorers.managed_runtime import ManagedRuntime, managed_dtype
from .errors import choice

if TYPE_CHECKING:
    from ...imagereward_core.scorers.engine import PictureScorer


class HostRuntime(ManagedRuntime):
    """Runs a scorer under the host's memory management, on the device it computes on (``auto``) or on ``cpu``."""

    def __init__(self, device: str = "auto", precision: Precision = "auto") -> None:
        import comfy.model_management as management
        from comfy.model_patcher import ModelPatcher

        choice("device", device, DEVICES)
        place: torch.device = torch.device("cpu") if device == "cpu" else management.get_torch_device()
        dtype = managed_dtype(management, precision, place)
        super().__init__(management, ModelPatcher, place, dtype, {"force_full_load": True})
        self.notice = precision_notice(precision, place)
        self._bar: Any = None

    def plan(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> None:
        """Sets the bar on the node to its beginning, and chooses batch sizes."""
        from comfy.utils import ProgressBar

        self._bar = ProgressBar(pictures)
        super().plan(scorers, batch_size, pictures)

    def hide_bar(self) -> None:
        """For callers that show progress over more than one call themselves."""
        self._bar = None

    def progress(self, done: int, total: int) -> None:
        """Moves the bar on the node."""
        if self._bar is not None:
            self._bar.update_absolute(done, total)

    def check_cancelled(self) -> None:
        """Raises the host's own exception once somebody has pressed its button."""
        self.management.throw_exception_if_processing_interrupted()
