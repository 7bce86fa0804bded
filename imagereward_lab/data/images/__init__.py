"""Where the images of a data set are read from: files in a folder, members of archives, cells of tables."""

from __future__ import annotations

from .source import MOST_BYTES, ImageSource, MissingImageError

__all__ = ["MOST_BYTES", "ImageSource", "MissingImageError"]
