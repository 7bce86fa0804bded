"""The core's Runtime inside a WebUI: on which device a scorer works, who moves it there, and when it is freed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from ..host import info
from .idle import watch_idle

if TYPE_CHECKING:
    from imagereward_core.runtime import Precision

    from .managed import ForgeRuntime
    from .plain import PlainRuntime

    HostRuntime = Union[PlainRuntime, ForgeRuntime]

__all__ = ["make_runtime", "watch_idle"]


def make_runtime(device: str = "auto", precision: Precision = "auto") -> HostRuntime:
    """A runtime under the memory management of this host, on the device of that name (``auto``: where the host computes).

    Raises:
        SettingError: There is no such device or precision.
    """
    if info.host() == "a1111":
        from .plain import PlainRuntime

        return PlainRuntime(device, precision)
    from .managed import ForgeRuntime

    return ForgeRuntime(device, precision)
