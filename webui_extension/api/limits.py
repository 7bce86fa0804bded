"""Limits of one request."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Limits of one request; each is an option ``imagereward_api_<name>`` of the host.

    Attributes:
        most_pictures: Pictures in one request.
        most_megabytes: Size of the whole request, in 10^6 bytes.
        most_megapixels: Size of one picture, in 10^6 pixels.
        most_megapixels_together: Size of all pictures of one request together, in 10^6 pixels.
    """

    most_pictures: int = 64
    most_megabytes: float = 100.0
    most_megapixels: float = 64.0
    most_megapixels_together: float = 512.0

    @property
    def most_bytes(self) -> int:
        """Size of the whole request in bytes."""
        return int(self.most_megabytes * MEGABYTE)

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
            field.name: _positive(option(f"imagereward_api_{field.name}", field.default), field.default)
            for field in fields(Limits)
        }
    )


def _positive(value: Any, default: Any) -> Any:
    try:
        number = type(default)(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if 0 < number < math.inf else default
