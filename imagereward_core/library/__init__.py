"""A folder of pictures: what is done with many of them at once."""

from __future__ import annotations
