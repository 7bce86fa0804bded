"""A text with a prompt on each line."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from imagereward_core.files.regular import open_regular

from ...data.form import MOST_PROMPT
from ...data.notes import Notes
from ..errors import SelectionError
from .source import Source

_UNDECODED = re.compile("[\udc80-\udcff]")


def text_rows(file: Path | BinaryIO, name: str, encoding: str) -> Source:
    """Its lines. Raises SelectionError for an encoding that is not known, and while reading for bytes that are not of it."""
    known = encoding_of(encoding)

    def rows(notes: Notes) -> Iterator[str | None]:
        stream = open_regular(file) if isinstance(file, Path) else file
        text = decoded(stream, known, name)
        try:
            number, last = 0, MOST_PROMPT + 2
            while line := text.readline(last):
                number += 1
                if too_long := len(line) == last and not line.endswith("\n"):
                    while (rest := text.readline(last)) and not rest.endswith("\n"):
                        pass
                    notes.add(
                        f"{name}, line {number}", f"found a line of more than {MOST_PROMPT:,} characters"
                    )
                yield None if too_long else whole(line, known, f"{name}, line {number}")
        except UnicodeError as error:
            raise _wrong(f"{name}, behind line {number}", known, str(error)) from error
        finally:
            if stream is not file:
                text.close()
            elif (buffered := text.detach()) is not file:  # somebody else's, which stays open
                buffered.detach()  # type: ignore[attr-defined]

    return Source("a text with a prompt on each line", rows)


def encoding_of(name: str) -> str:
    """The encoding of that name as Python calls it; UTF-8, with or without its mark at the beginning, for an empty one.

    Raises:
        SelectionError: There is none of that name.
    """
    try:
        known = codecs.lookup(name or "utf-8-sig")
    except LookupError:
        known = None
    if known is None or not getattr(known, "_is_text_encoding", True):
        raise SelectionError(
            f"--encoding {name}: found no such encoding; expected one such as utf-8, latin-1, cp1252 or utf-16"
        )
    return known.name


def decoded(stream: BinaryIO, encoding: str, name: str) -> io.TextIOWrapper:
    """The text of a stream; bytes that are no text in it are marked, for :func:`whole` to find.

    Raises:
        SelectionError: It begins as a text in UTF-16, and another encoding was said.
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    if "utf-16" not in encoding and buffered.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise SelectionError(
            f"{name}: found a text in UTF-16; expected {encoding.removesuffix('-sig')}. Add --encoding utf-16"
        )
    return io.TextIOWrapper(buffered, encoding, "surrogateescape", newline=None)


def whole(text: str, encoding: str, where: str) -> str:
    """The text, where all of it could be decoded.

    Raises:
        SelectionError: Some of it is no text in the encoding.
    """
    if not text.isascii() and (found := _UNDECODED.search(text)):
        raise _wrong(
            where, encoding, f"the byte 0x{ord(found[0]) - 0xDC00:02x} behind {text[: found.start()][-20:]!r}"
        )
    return text


def _wrong(where: str, encoding: str, found: str) -> SelectionError:
    return SelectionError(
        f"{where}: found {found}, which is no text in {encoding.removesuffix('-sig')}; save the file as UTF-8, or say its encoding, such "
        "as "
        "--encoding latin-1 or --encoding cp1252"
    )
