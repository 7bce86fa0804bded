"""From folders on the disk to rows in the library: found, read once, decoded ahead of the model, scored where that is new."""

from __future__ import annotations
