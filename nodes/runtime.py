"""The core's Runtime inside ComfyUI: the host decides what lies on the device, shows progress, and may interrupt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..imagereward_core.runtime import Precision, out_of_memory, pick_dtype
from .errors import choice

if TYPE_CHECKING:
    from ..imagereward_core.scorers.engine import PictureScorer

LARGEST_BATCH = 32
BYTES_PER_TOKEN = 100_000
"""Working memory of one image token in float32, generously: activations of one layer of the widest tower (ViT-H), attention included."""
PATCH = 14


class Wrapped(nn.Module):
    """A network as the host's manager sees it; the manager writes attributes of its own onto what it manages."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class HostRuntime:
    """Runs a scorer under the host's memory management.

    Args:
        device: ``auto`` for the device the host computes on, or ``cpu``.
        precision: As in the core; ``auto`` asks the host which half precision its device is good at.
    """

    def __init__(self, device: str = "auto", precision: Precision = "auto") -> None:
        import comfy.model_management as management

        self.management = management
        choice("device", device, ("auto", "cpu"))
        self.device: torch.device = torch.device("cpu") if device == "cpu" else management.get_torch_device()
        self.dtype = self._dtype(precision)
        self._patchers: dict[int, Any] = {}
        self._needed = 0
        self._bar: Any = None

    def _dtype(self, precision: Precision) -> torch.dtype:
        if precision != "auto":
            return pick_dtype(precision, self.device)
        if self.device.type not in ("cuda", "xpu"):
            return torch.float32
        if self.management.should_use_bf16(self.device):
            return torch.bfloat16
        return torch.float16 if self.management.should_use_fp16(self.device) else torch.float32

    def patcher(self, module: nn.Module) -> Any:
        """The host's handle of a network; made once and kept as long as this runtime, as the host demands."""
        found = self._patchers.get(id(module))
        if found is None:
            from comfy.model_patcher import ModelPatcher

            offload = torch.device("cpu")
            found = ModelPatcher(Wrapped(module), load_device=self.device, offload_device=offload)
            self._patchers[id(module)] = found
        return found

    @contextmanager
    def resident(self, module: nn.Module) -> Iterator[None]:
        """Asks the host to have ``module`` on the device, whole: a plain network cannot run partly offloaded."""
        self._load(module)
        yield

    def _load(self, module: nn.Module) -> None:
        self.management.load_models_gpu(
            [self.patcher(module)], memory_required=self._needed, force_full_load=True
        )

    def plan(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> None:
        """Chooses how many pictures go through each tower at once: what was asked for, or what free memory allows.

        Args:
            scorers: The scorers about to work.
            batch_size: Pictures per pass; 0 for automatic.
            pictures: How many there are in all.
        """
        self._bar = self._make_bar(pictures)
        for scorer in scorers:
            # Packing rearranges weights behind the host's back; what the host manages stays as it is.
            scorer.tower.packing = False
            scorer.batch_size = batch_size or None
        if self.device.type == "cpu":
            return
        per_picture = {id(scorer.tower): memory_per_picture(scorer.spec.size) for scorer in scorers}
        largest = min(batch_size or LARGEST_BATCH, pictures)
        self._needed = largest * max(per_picture.values())
        if batch_size:
            return
        for scorer in scorers:
            self._load(scorer.tower.network)
            free = self.management.get_free_memory(self.device)
            scorer.batch_size = max(1, min(largest, int(0.8 * free / per_picture[id(scorer.tower)])))

    def _make_bar(self, total: int) -> Any:
        from comfy.utils import ProgressBar

        return ProgressBar(total)

    def progress(self, done: int, total: int) -> None:
        """Moves the bar on the node."""
        if self._bar is not None:
            self._bar.update_absolute(done, total)

    def check_cancelled(self) -> None:
        """Raises the host's own exception once somebody has pressed its button."""
        self.management.throw_exception_if_processing_interrupted()

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether the device is full, by the host's own judgement where it has one; what can be freed is freed."""
        ask = getattr(self.management, "is_oom", None)
        full = out_of_memory(error) or bool(ask and ask(error))
        if full:
            self.management.soft_empty_cache()
        return full


def memory_per_picture(size: int) -> int:
    """Working memory in bytes that one picture of ``size`` x ``size`` pixels needs in a tower, generously."""
    return (size // PATCH) ** 2 * BYTES_PER_TOKEN
