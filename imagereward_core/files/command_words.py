"""Paths as the words of a command, for texts that say what to type."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from . import STORE_FOLDER


def shell_word(path: Path) -> str:
    """A path as one types it in a command."""
    if os.name == "nt":
        return f'"{path}"' if " " in str(path) else str(path)
    return shlex.quote(str(path))


def place_words(folder: Path, place: Path) -> str:
    """A folder of pictures as one types it in a command, with the option that names its library where that lies elsewhere.

    >>> place_words(Path("outputs"), Path("outputs", ".imagereward"))
    'outputs'
    >>> place_words(Path("outputs"), Path("library"))
    'outputs --store library'
    """
    named = "" if place == folder / STORE_FOLDER else f" --store {shell_word(place)}"
    return shell_word(folder) + named
