"""The runtime of Forge, Forge Neo, reForge and Forge Classic: their memory managers decide what lies on the device."""

from __future__ import annotations

import gc
import inspect
from importlib import import_module
from typing import Any

import torch

from imagereward_core.runtime import Precision, precision_notice
from imagereward_core.scorers.managed_runtime import ManagedRuntime, managed_dtype

from ..host import info
from .common import HostSignals, checked_dtype, pick_device

_BACKEND = ("backend.memory_management", "backend.patcher.base")
_PATCHED = ("ldm_patched.modules.model_management", "ldm_patched.modules.model_patcher")
_HOMES = {"forge": _BACKEND, "neo": _BACKEND, "reforge": _PATCHED, "classic": _PATCHED}
"""Where each host has its manager and its ModelPatcher."""


class ForgeRuntime(HostSignals, ManagedRuntime):
    """Runs a scorer under the host's memory manager, which by itself keeps it until somebody else needs the room."""

    def __init__(self, device: str = "auto", precision: Precision = "auto") -> None:
        manager, patcher = (import_module(name) for name in _HOMES[info.host()])
        place = pick_device(device, manager.get_torch_device())
        dtype = (
            managed_dtype(manager, precision, place)
            if precision == "auto"
            else checked_dtype(precision, place)
        )
        super().__init__(manager, patcher.ModelPatcher, place, dtype, _load_options(manager))
        self.notice = precision_notice(precision, place)

    def leave(self) -> None:
        """Takes the networks out of the manager's hands and off the device."""
        held = self.management.current_loaded_models
        # As on the way in: hosts call us in inference mode, and what is moved in it becomes a tensor of that mode.
        with torch.inference_mode(False), torch.no_grad():
            for index in reversed(range(len(held))):
                if any(held[index].model is patcher for patcher in self._patchers.values()):
                    held.pop(index).model_unload()
        if self.device.type != "cpu":
            self.management.soft_empty_cache()

    def release(self) -> None:
        """Leaves the device for good; the networks go with whoever still holds them."""
        self.leave()
        self._patchers.clear()
        gc.collect()
        if self.device.type != "cpu":
            self.management.soft_empty_cache()


def _load_options(manager: Any) -> dict[str, bool]:
    """Asks for the whole network on the device where the manager would otherwise leave some of it outside; old ones have no such option."""
    known = inspect.signature(manager.load_models_gpu).parameters
    return {"force_full_load": True} if "force_full_load" in known else {}
