"""A cache of what reading a file has shown, in this program's own folder, so that each file is read once.

Nothing that lies beside a file, in its header or in its name is believed here: whoever made the file wrote that too.
An entry holds for one state of one file, and losing the cache costs time only.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..files.whole import written_whole

logger = logging.getLogger(__name__)

State = tuple[int, int, int, int, int]
"""Size, times of the last change of content and of anything (ns), inode and device."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = "checksums.json"
_FORMAT = "imagereward-checksums-1"
WORTH_KEEPING = 16 * 1024 * 1024
"""Smaller files are read again by the next program, which takes no time."""
_MOST = 1000
_here: dict[tuple[str, State, str], str] = {}


def kind_of_tensors(layout: str) -> str:
    """The kind of a checksum over the tensors of a file, whose names are those of one ``layout`` of weights."""
    return f"tensors-1/{layout}"


def is_sha256(text: object) -> bool:
    """Whether ``text`` is a SHA-256 as this program writes it: 64 hexadecimal digits in lower case.

    >>> is_sha256("0" * 64), is_sha256("0" * 63), is_sha256("g" * 64)
    (True, False, False)
    """
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def found_once(path: Path, kind: str, find: Callable[[], str], fresh: bool = False) -> str:
    """The answer of ``find``, 64 hexadecimal digits, about a file, remembered as ``kind`` until it changes or ``fresh`` asks anew."""
    before = state_of(path)
    known = None if fresh else remembered(path, kind)
    if known is not None:
        return known
    answer = find()
    if state_of(path) == before:  # else it was written to meanwhile, and the answer is that of no state
        remember(path, kind, answer)
    return answer


def remembered(path: Path, kind: str) -> str | None:
    """The entry for a file as it is now; None where it has not been read since."""
    try:
        real, state = str(path.resolve()), state_of(path)
    except OSError:
        return None
    if (real, state, kind) in _here:
        return _here[real, state, kind]
    kept = _read().get(real, {}).get(kind)
    return str(kept[-1]) if kept is not None and kept[:-1] == [*state] else None


def remember(path: Path, kind: str, answer: str) -> None:
    """Notes what the caller has just found out by reading or writing the whole file."""
    real, state = str(path.resolve()), state_of(path)
    _here[real, state, kind] = answer
    if state[0] >= WORTH_KEEPING:
        _keep(real, kind, [*state, answer])


def state_of(path: Path) -> State:
    """A value that changes when a file does; OSError where there is none."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


def place() -> Path | None:
    """Where the cache lies; None where the user has no home."""
    try:
        return Path.home() / ".cache" / "imagereward-curator" / _FILE
    except RuntimeError:
        return None


def _read() -> dict[str, dict[str, Any]]:
    """Entries by path and kind, those of another form left out."""
    where = place()
    try:
        content = {} if where is None else json.loads(where.read_text(encoding="utf-8"))
        files = content["files"] if content.get("format") == _FORMAT else {}
        return {
            path: {kind: entry for kind, entry in kinds.items() if _is_entry(entry)}
            for path, kinds in files.items()
        }
    except (OSError, ValueError, KeyError, AttributeError, RecursionError):
        return {}


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 6
        and all(isinstance(number, int) for number in entry[:-1])
        and is_sha256(entry[-1])
    )


def _keep(real: str, kind: str, entry: list[Any]) -> None:
    where = place()
    if where is None:
        return
    files = _read()
    kinds = files.pop(real, {})
    files[real] = {name: other for name, other in kinds.items() if other[:-1] == entry[:-1]} | {kind: entry}
    files = dict(list(files.items())[-_MOST:])
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(where) as temporary:
            temporary.write_text(json.dumps({"format": _FORMAT, "files": files}, indent=1), encoding="utf-8")
    except OSError as error:
        logger.debug("checksums are not kept: %s", error)
