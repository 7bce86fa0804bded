"""Limits of one request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from imagereward_core.settings import Setting, setting, settings_of


@dataclass(frozen=True)
class Limits:
    """Limits of one request; each is an option ``imagereward_api_<name>`` of the host. Pixels count in 10^6, bytes too."""

    most_pictures: int = setting(
        64,
        "Larger requests are refused with a message",
        label="API: most pictures in one request",
        low=1,
        high=1024,
    )
    most_megabytes: float = setting(
        100,
        "Counted as it arrives, pictures in base64 included",
        label="API: largest request in megabytes",
        low=1,
        high=2048,
    )
    most_megapixels: float = setting(
        64,
        "Guards against small files that unpack to enormous pictures",
        label="API: largest picture in megapixels",
        low=1,
        high=512,
    )
    most_megapixels_together: float = setting(
        512,
        "Of all its pictures together; the first that would be too many is refused, the ones before it are scored",
        label="API: most megapixels in one request",
        low=1,
        high=4096,
    )

    @property
    def most_bytes(self) -> int:
        """Size of the whole request in bytes."""
        return int(self.most_megabytes * 1e6)

    @property
    def most_pixels(self) -> int:
        """Size of one picture in pixels."""
        return int(self.most_megapixels * 1e6)

    @property
    def most_pixels_together(self) -> int:
        """Size of all pictures of a request together in pixels."""
        return int(self.most_megapixels_together * 1e6)


def limits() -> Limits:
    """The limits the host's settings hold; a setting that is no positive number counts as its default."""
    from ..host.info import option

    return Limits(
        **{
            name: _positive(known, option(f"imagereward_api_{name}", known.default))
            for name, known in settings_of(Limits).items()
        }
    )


def _positive(known: Setting, value: Any) -> Any:
    try:
        number = int(value) if known.kind == "int" else float(value)
    except (TypeError, ValueError, OverflowError):
        return known.default
    return number if 0 < number < math.inf else known.default
