"""Runtimes under a memory manager of ComfyUI's family (Forge and reForge have it too), used by its methods and never imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..runtime import Precision, out_of_memory, pick_dtype

if TYPE_CHECKING:
    from .engine import PictureScorer

LARGEST_BATCH = 32
BYTES_PER_TOKEN = 100_000
"""Working memory of one image token in float32, generously: activations of one layer of the widest tower (ViT-H), attention included."""
PATCH = 14


class Wrapped(nn.Module):
    """A network as the host's manager sees it; the manager writes attributes of its own onto what it manages."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class ManagedRuntime:
    """Runs scorers under a manager that decides what lies on the device; progress and cancellation are said by subclasses.

    Args:
        management: The manager: ``load_models_gpu``, ``get_free_memory``, ``soft_empty_cache``.
        make_patcher: The manager's handle of a module, with ``load_device`` and ``offload_device``.
        device: Where networks run.
        dtype: Precision of image towers.
        load_options: Further arguments for ``load_models_gpu``.
    """

    def __init__(
        self,
        management: Any,
        make_patcher: Callable[..., Any],
        device: torch.device,
        dtype: torch.dtype,
        load_options: dict[str, Any] | None = None,
    ) -> None:
        self.management, self.device, self.dtype = management, device, dtype
        self._make_patcher, self._load_options = make_patcher, load_options or {}
        self.notice = ""
        self._patchers: dict[int, Any] = {}
        self._needed = 0

    def patcher(self, module: nn.Module) -> Any:
        """The host's handle of a network; made once and kept as long as this runtime, as the host demands."""
        if id(module) not in self._patchers:
            self._patchers[id(module)] = self._make_patcher(
                Wrapped(module), load_device=self.device, offload_device=torch.device("cpu")
            )
        return self._patchers[id(module)]

    @contextmanager
    def working(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> Iterator[None]:
        """Chooses batch sizes; see :meth:`plan`. What lies where afterwards is the manager's business."""
        self.plan(scorers, batch_size, pictures)
        yield

    def release(self) -> None:
        """Leaves the device for good: the manager lets networks go with whoever holds them."""
        self._patchers.clear()

    @contextmanager
    def resident(self, module: nn.Module) -> Iterator[None]:
        """Asks the host to have ``module`` on the device, whole: a plain network cannot run partly offloaded."""
        self._load(module)
        yield

    def _load(self, module: nn.Module) -> None:
        # Weights moved in inference mode could not be moved back outside it.
        with torch.inference_mode(False), torch.no_grad():
            handle = self.patcher(module)
            self.management.load_models_gpu([handle], memory_required=self._needed, **self._load_options)
            if any(each.device.type != self.device.type for each in module.parameters()):
                module.to(self.device)

    def plan(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> None:
        """Chooses how many pictures go through each tower at once: ``batch_size``, or for 0 what free memory allows."""
        for scorer in scorers:
            # Packing rearranges weights behind the host's back; what the host manages stays as it is.
            scorer.tower.packing = False
            scorer.batch_size = batch_size or None
        if self.device.type == "cpu" or not pictures or not scorers:
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


def managed_dtype(management: Any, precision: Precision, device: torch.device) -> torch.dtype:
    """The precision of image towers: what was asked for, or for ``auto`` the half precision the manager says its device is good at."""
    if precision != "auto":
        return pick_dtype(precision, device)
    if device.type not in ("cuda", "xpu"):
        return torch.float32
    # Managers from before 2024 know half precision of one kind.
    asks_bf16 = getattr(management, "should_use_bf16", None)
    if asks_bf16 is not None and asks_bf16(device):
        return torch.bfloat16
    return torch.float16 if management.should_use_fp16(device) else torch.float32
