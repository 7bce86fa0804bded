"""Parts that the runtimes of all WebUIs share: the progress line, the Interrupt button, exact arithmetic, devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from imagereward_core.errors import Cancelled, CuratorError
from imagereward_core.runtime import DEVICES, Precision, pick_dtype

from ..host import info

if TYPE_CHECKING:
    from imagereward_core.scorers.engine import PictureScorer


class SettingError(CuratorError):
    """A setting names something this machine does not have."""


class HostSignals:
    """Work as a WebUI has it: one line of text under the progress bar, a flag its button sets, and exact arithmetic."""

    device: torch.device
    dtype: torch.dtype
    plan: Callable[[Sequence[PictureScorer], int, int], None]
    """Makes room, and chooses batch sizes; see ``working``."""
    leave: Callable[[], None]
    """Takes everything off the device."""
    by_itself = False
    """Whether scorers leave the device after every use where the setting ``move_out`` is ``auto``."""
    heeds_interrupt = True
    """Whether Interrupt concerns the work at hand. Hosts leave the flag set until their next job begins."""

    @contextmanager
    def working(self, scorers: Sequence[PictureScorer], batch_size: int, pictures: int) -> Iterator[None]:
        """Held around a whole run: plans it (``batch_size`` 0: by itself), and leaves the device afterwards where it should."""
        with exact(self.device, self.dtype):
            try:
                self.plan(scorers, batch_size, pictures)
                yield
            finally:
                if self.moves_out():
                    self.leave()

    def moves_out(self) -> bool:
        """Whether scorers leave the device after every use."""
        chosen = str(info.option("imagereward_move_out", "auto"))
        return self.by_itself if chosen not in ("always", "never") else chosen == "always"

    def progress(self, done: int, total: int) -> None:
        """Writes the line under the progress bar; it goes when the work is done."""
        from modules import shared

        shared.state.textinfo = f"ImageReward Curator: scoring {done} of {total}" if done < total else None

    def check_cancelled(self) -> None:
        """Raises ``Cancelled`` once the user has pressed Interrupt ("stop after this picture" does not count: it is done)."""
        from modules import shared

        if self.heeds_interrupt and shared.state.interrupted:
            raise Cancelled("scoring was interrupted; the pictures are kept as they are")


def pick_device(name: str, automatic: torch.device) -> torch.device:
    """The device of a setting: the one of that name, or the ``automatic`` one for ``auto``.

    Raises:
        SettingError: It does not exist here.
    """
    if name == "auto":
        return automatic
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise SettingError(
            f"the device {name!r} cannot be used here ({reason}); expected one of {', '.join(devices())}. Choose it in Settings, "
            "ImageReward Curator"
        ) from error
    return device


def devices() -> list[str]:
    """Names of the devices of this machine, as the settings page offers them."""
    found = [*DEVICES]
    if torch.cuda.is_available():
        found += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def checked_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """See ``pick_dtype`` of the core.

    Raises:
        SettingError: There is no such precision.
    """
    try:
        return pick_dtype(precision, device)
    except ValueError as error:
        raise SettingError(f"{error}. Choose it in Settings, ImageReward Curator") from error


@contextmanager
def exact(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Arithmetic as the core means it, whatever the host has switched on: no autocast, and true float32 where float32 was asked for.

    Hosts generate under autocast and allow TensorFloat32 for the whole process; either would give other numbers here than elsewhere.
    """
    with ExitStack() as stack:
        for kind in {device.type, "cuda", "cpu"}:
            if _autocasts(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if device.type == "cuda" and dtype == torch.float32:
            settings: Any = torch.backends.cuda.matmul
            stack.callback(setattr, settings, "allow_tf32", settings.allow_tf32)
            settings.allow_tf32 = False
        yield


def _autocasts(kind: str) -> bool:
    """Whether the host has switched autocast on for this kind of device; torch before 2.4 asks by another name."""
    try:
        return torch.is_autocast_enabled(kind)
    except TypeError:
        return torch.is_autocast_cpu_enabled() if kind == "cpu" else torch.is_autocast_enabled()
    except RuntimeError:  # a kind of device that knows no autocast
        return False
