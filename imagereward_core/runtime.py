"""The runtime of a scorer, lent by a host: device, precision, memory, progress, and a way to stop."""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from .errors import Cancelled, NumberError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Precision = Literal["auto", "fp32", "bf16", "fp16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
DEVICES = ("auto", "cpu")
"""Devices that are everywhere: the one the host computes on, and the processor."""
Progress = Callable[[int, int], None]


class Runtime(Protocol):
    """The contract between the core and whatever it runs in. A host fulfils it with its own memory manager."""

    @property
    def device(self) -> torch.device:
        """Where the network runs."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the image tower; the text tower and the head stay in float32."""

    def working(self, scorers: Sequence[Any], batch_size: int, pictures: int) -> AbstractContextManager[None]:
        """Held around a whole run: sets how many pictures (0: automatic) each scorer takes per pass, makes room, leaves afterwards."""

    def resident(self, module: torch.nn.Module) -> AbstractContextManager[None]:
        """A context manager in which ``module`` is on ``device``."""

    def release(self) -> None:
        """Leaves the device for good; networks go with whoever still holds them."""

    def progress(self, done: int, total: int) -> None:
        """Called after every chunk with how many of the call's pictures are done."""

    def check_cancelled(self) -> None:
        """Raises (``Cancelled`` or the host's own exception) when the work should stop; called before every chunk."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether ``error`` means that the device is full, so that a smaller batch may succeed."""


def batch_size_of(value: Any, least: int = 1) -> int:
    """How many pictures go through a network at once, as a whole number; as large as one likes, since a batch that does not fit is halved.

    Hosts hand whole numbers over as floats too. NumberError where it is less than ``least`` (0 where that stands for automatic), or not
    whole: with one below 1 a loop over batches would never end.

    >>> batch_size_of(4.0), batch_size_of(0, least=0)
    (4, 0)
    """
    try:
        whole = None if isinstance(value, bool) else int(value)
        if whole is not None and whole >= least and (isinstance(value, str) or whole == value):
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    automatic = ", or 0 for automatic" if least == 0 else ""
    raise NumberError(
        f"the number of pictures at once (batch size) is {str(value)[:40]}; expected a whole number of at least 1{automatic}"
    )


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """The device to use: the one named, or the best one present (CUDA or ROCm, then Intel XPU, then Apple MPS, then CPU)."""
    import torch

    if not isinstance(name, str):
        return name
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        return torch.device("xpu")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def pick_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The precision of the image tower on ``device``; ValueError where it is none of auto, fp32, bf16, fp16.

    ``auto`` is exact float32 on every device that scores quickly enough with it (CPU, MPS) and bfloat16, or float16 on cards
    without it, on CUDA and XPU. The measured differences are in ``docs/accuracy.md``. A processor that cannot calculate in
    float16 would take several times as long with it as with float32, so it gets float32, and that is said.
    """
    import torch

    named = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if notice := precision_notice(precision, device):
        log.warning(notice)
        return torch.float32
    if precision in named:
        return named[precision]
    if precision != "auto":
        raise ValueError(f"precision is {precision!r}; expected one of auto, {', '.join(named)}")
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if device.type == "xpu" else torch.float32


NO_FP16 = "This processor cannot calculate in fp16 and would be several times slower with it, so fp32 is used, which is exact."


def precision_notice(precision: Precision, device: torch.device) -> str:
    """The remark where another precision than the one asked for is used on ``device``; else empty."""
    return NO_FP16 if precision == "fp16" and device.type == "cpu" and not cpu_has_fp16() else ""


def cpu_has_fp16() -> bool:
    """Whether this processor multiplies matrices in float16 itself, and does not convert every number first.

    Torch's own library for processors is asked (in torch since 2.1); where it is not there, on Arm and in odd builds, Linux
    lists what a processor can do, and Apple's own can. Not knowing counts as no: float32 is right everywhere.
    """
    import torch

    if sys.platform == "darwin" and platform.machine() == "arm64":
        return True
    try:
        if torch.backends.mkldnn.is_available():
            return bool(torch.ops.mkldnn._is_mkldnn_fp16_supported())
    except (AttributeError, RuntimeError):
        pass
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    can = {"avx512_fp16", "amx_fp16", "asimdhp"}
    return any(
        can & set(line.partition(":")[2].split())
        for line in text.splitlines()
        if line.lower().startswith(("flags", "features"))
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is a full device or a full machine, by type or, for back ends without a type, by its text."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


class LocalRuntime:
    """The runtime of the command line and of plain Python programs: this process, one device, the model stays on it."""

    def __init__(
        self,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.device = pick_device(device)
        self.dtype = pick_dtype(precision, self.device)
        self.notice = precision_notice(precision, self.device)
        self._progress = progress
        self._cancelled = cancelled

    @contextmanager
    def working(self, scorers: Sequence[Any], batch_size: int, pictures: int) -> Iterator[None]:
        """Sets the batch sizes; everything stays where it is."""
        for scorer in scorers:
            scorer.batch_size = batch_size or None
        yield

    @contextmanager
    def resident(self, module: torch.nn.Module) -> Iterator[None]:
        """Moves ``module`` to the device once and leaves it there."""
        module.to(self.device)
        yield

    def release(self) -> None:
        """Nothing: the process is its own host."""

    def progress(self, done: int, total: int) -> None:
        """Passes the count on to the callback given at construction, if any."""
        if self._progress is not None:
            self._progress(done, total)

    def check_cancelled(self) -> None:
        """Raises ``Cancelled`` once the callback given at construction answers True."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(
                "scoring was stopped before it was done; what had been scored is kept where a store is used"
            )

    def is_out_of_memory(self, error: BaseException) -> bool:
        """See :func:`out_of_memory`."""
        return out_of_memory(error)
