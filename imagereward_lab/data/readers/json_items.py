"""The items of a large JSON array, one after another, without the whole of it in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from imagereward_core.files.regular import open_regular

from ..notes import Notes
from ..strict_json import item_at

_CHUNK = 2**20
MOST_ITEM = 64 * 2**20
"""Characters of one item; what is longer is no ranking."""
_SPACE = " \t\r\n"


def json_items(path: Path, notes: Notes, opened: IO[bytes] | None = None) -> Iterator[tuple[str, Any]]:
    """For each item of the array in a file: where it stands, for messages, and the item.

    An item with NaN in it is noted and passed over; where the file is damaged the rest of it cannot be read, which is noted.

    Args:
        path: The file.
        notes: What was left out.
        opened: Its bytes, where it lies inside of an archive.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) if opened is None else nullcontext(opened) as stream:
        decode = codecs.getincrementaldecoder("utf-8-sig")("strict").decode
        text, at, ended, number = "", 0, False, 0

        def more() -> None:
            nonlocal text, at, ended
            size = max(_CHUNK, len(text) - at)  # doubled, so that a large item is not tried a thousand times
            data = stream.read(size)
            ended = not data
            text, at = text[at:] + decode(data, ended), 0

        def skip(characters: str) -> str:
            """Passes over characters; returns the next one, empty at the end."""
            nonlocal at
            while True:
                while at < len(text) and text[at] in characters:
                    at += 1
                if at < len(text) or ended:
                    return text[at : at + 1]
                more()

        try:
            if skip(_SPACE) != "[":
                notes.add(path.name, "found no JSON array; expected one, [ ... ]")
                return
            at += 1
            while (following := skip(_SPACE + ",")) != "]":
                number += 1
                where = f"{path.name}, item {number}"
                if not following:
                    notes.add(where, "found the end of the file; expected ]. It was cut off")
                    return
                while True:
                    try:
                        item, end = item_at(text, at)
                    except json.JSONDecodeError as error:
                        if ended or len(text) - at > MOST_ITEM:
                            notes.add(
                                where, f"found no JSON ({error.msg}); the rest of the file cannot be read"
                            )
                            return
                        more()
                        continue
                    except ValueError as error:
                        # Where it ends is known only once it is whole.
                        try:
                            end = json.JSONDecoder().raw_decode(text, at)[1]
                        except json.JSONDecodeError:
                            if ended or len(text) - at > MOST_ITEM:
                                notes.add(where, f"{error}; the rest of the file cannot be read")
                                return
                            more()
                            continue
                        except (ValueError, RecursionError):
                            notes.add(where, f"{error}; the rest of the file cannot be read")
                            return
                        notes.add(where, str(error))
                        at = end
                        break
                    if end == len(text) and not ended:
                        more()  # a number may go on
                        continue
                    at = end
                    yield where, item
                    break
        except UnicodeDecodeError:
            notes.add(
                f"{path.name}, item {number + 1}",
                "found text that is not UTF-8; the rest of the file cannot be read",
            )


def first_item(path: Path) -> Any:
    """The first item of the array in a JSON file; None where there is none."""
    try:
        return next((item for _, item in json_items(path, Notes())), None)
    except (OSError, ValueError):
        return None
