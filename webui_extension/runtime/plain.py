"""The runtime of Automatic1111 and hosts like it: networks are moved by hand, in when they work and out when the setting says so."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from imagereward_core.runtime import Precision, out_of_memory, precision_notice

from .common import HostSignals, SettingError, checked_dtype, pick_device

if TYPE_CHECKING:
    from imagereward_core.scorers.engine import PictureScorer

log = logging.getLogger(__name__)


class PlainRuntime(HostSignals):
    """Runs a scorer beside a WebUI that moves its own models by hand.

    Args:
        device: ``auto`` for the host's device (its ``--use-cpu imagereward`` and ``--use-cpu all`` count), or a device by its name.
        precision: As in the core; ``auto`` is float32 where the host was started with ``--no-half`` or ``--precision full``.
    """

    by_itself = True

    def __init__(self, device: str = "auto", precision: Precision = "auto") -> None:
        from modules import devices

        self.device = pick_device(device, devices.get_device_for("imagereward"))
        self.dtype = (
            torch.float32 if precision == "auto" and _avoids_half() else checked_dtype(precision, self.device)
        )
        self.notice = precision_notice(precision, self.device)
        self._networks: dict[int, nn.Module] = {}

    def plan(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> None:
        """Makes room where the host is short of memory; it fetches its models again when it needs them."""
        for scorer in scorers:
            scorer.batch_size = batch_size or None
        if self.device.type == "cpu" or not _is_short_of_memory():
            return
        from modules import devices, lowvram

        lowvram.send_everything_to_cpu()
        devices.torch_gc()

    def moves_out(self) -> bool:
        """Also in the host's low memory modes."""
        return super().moves_out() or _is_short_of_memory()

    @contextmanager
    def resident(self, module: nn.Module) -> Iterator[None]:
        """Moves ``module`` to the device, once per run."""
        self._networks[id(module)] = module
        try:
            # Weights moved in inference mode could not be moved back outside it.
            with torch.inference_mode(False), torch.no_grad():
                module.to(self.device)
        except Exception as error:
            if not out_of_memory(error):
                raise
            self.leave()
            raise SettingError(
                f"the scorer does not fit on {self.device} beside the image model. Choose the device cpu in Settings, ImageReward "
                "Curator, or a smaller scorer"
            ) from error
        yield

    def leave(self) -> None:
        """Moves everything off the device."""
        from modules import devices

        if self.device.type == "cpu":
            return
        with torch.inference_mode(False), torch.no_grad():
            for network in self._networks.values():
                network.to("cpu")
        devices.torch_gc()

    def release(self) -> None:
        """Leaves the device for good; the networks go with whoever still holds them."""
        from modules import devices

        self.leave()
        self._networks.clear()
        gc.collect()
        devices.torch_gc()

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether the device is full; what the allocator holds is given back, so that a smaller batch may fit."""
        from modules import devices

        full = out_of_memory(error)
        if full:
            devices.torch_gc()
        return full


def _is_short_of_memory() -> bool:
    """Whether the loaded image model runs in one of the host's low memory modes."""
    from modules import lowvram, sd_models

    # Not shared.sd_model: asking for it would load a model where none is.
    model = getattr(sd_models.model_data, "sd_model", None)
    return model is not None and bool(lowvram.is_enabled(model))


def _avoids_half() -> bool:
    from modules import shared

    options = shared.cmd_opts
    return bool(getattr(options, "no_half", False)) or getattr(options, "precision", "") == "full"
