"""Reads, loads, converts and verifies checkpoint files. The one part of ``weights`` that needs torch."""

from __future__ import annotations

from ..manifest import sha256_of
from .claims import VerifyReport, head_is_untrained, verify
from .conversion import ConversionReport, convert
from .fingerprint import same_tensors, tensors_sha256
from .keymaps import KEYMAPS, KeyMap, View, keymap_of
from .kinds import recognise
from .layout import Layout, Mismatch, compare
from .load import DtypeOf, load_into
from .reader import StateFile, open_state, read_layout
from .writer import write_state

__all__ = [
    "KEYMAPS",
    "ConversionReport",
    "DtypeOf",
    "KeyMap",
    "Layout",
    "Mismatch",
    "StateFile",
    "VerifyReport",
    "View",
    "compare",
    "convert",
    "head_is_untrained",
    "keymap_of",
    "load_into",
    "open_state",
    "read_layout",
    "recognise",
    "same_tensors",
    "sha256_of",
    "tensors_sha256",
    "verify",
    "write_state",
]
