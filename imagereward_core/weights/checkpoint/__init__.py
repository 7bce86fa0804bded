"""Reads, loads, converts and verifies checkpoint files. The one part of ``weights`` that needs torch."""

from __future__ import annotations

from .claims import head_is_untrained as head_is_untrained
from .claims import verify as verify
from .conversion import convert as convert
from .fingerprint import same_tensors as same_tensors
from .fingerprint import tensors_sha256 as tensors_sha256
from .keymaps import keymap_of as keymap_of
from .load import load_into as load_into
from .reader import StateFile as StateFile
from .writer import write_state as write_state
