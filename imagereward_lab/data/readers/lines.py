"""Our own JSON Lines."""

from __future__ import annotations

from pathlib import Path

from imagereward_core.files.regular import read_regular

from ..jsonl import read_rankings
from .format import Format

_HEAD = 2**16


def _recognise(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    try:
        head = read_regular(path, _HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return head.startswith(b"{")


FORMAT = Format(
    name="jsonl",
    title="JSON Lines of this program, one ranking a line",
    recognise=_recognise,
    read=read_rankings,
)
