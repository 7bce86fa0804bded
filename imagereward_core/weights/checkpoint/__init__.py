"""Reads, loads, converts and verifies checkpoint files. The one part of ``weights`` that needs torch."""

from __future__ import annotations

from ..manifest import sha256_of
from .converting import ConversionReport, convert
from .layout import Layout, Mismatch, compare, recognise
from .loading import DtypeOf, load_into
from .reading import StateFile, open_state, read_layout
from .verifying import VerifyReport, head_is_untrained, verify

__all__ = [
    "ConversionReport",
    "DtypeOf",
    "Layout",
    "Mismatch",
    "StateFile",
    "VerifyReport",
    "compare",
    "convert",
    "head_is_untrained",
    "load_into",
    "open_state",
    "read_layout",
    "recognise",
    "sha256_of",
    "verify",
]
