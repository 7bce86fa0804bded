"""Names that Windows keeps for its devices, whatever stands behind a dot: no file and no folder can be called so there."""

from __future__ import annotations

import re

_DEVICE = r"(?i:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)"


def is_device(name: str) -> bool:
    """Whether Windows takes the name for that of a device.

    >>> is_device("Con.png"), is_device("lpt1 "), is_device("console.png")
    (True, True, False)
    """
    return re.match(_DEVICE, name) is not None
