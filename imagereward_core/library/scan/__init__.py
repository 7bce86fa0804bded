"""Scans folders into the library: files found, read once, decoded ahead of the model, scored where that is new."""

from __future__ import annotations
