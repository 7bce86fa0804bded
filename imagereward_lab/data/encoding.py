"""How the text of a table is written: UTF-8, or the UTF-16 that spreadsheet programs call Unicode text."""

from __future__ import annotations

import codecs


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its first bytes; UTF-8, with or without its mark, where there is no mark of another.

    >>> encoding_of("path".encode("utf-16")), encoding_of(b"path")
    ('utf-16', 'utf-8-sig')
    """
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def text_of(data: bytes) -> str:
    """The text of a table; a byte that is no text in its encoding stays as half of a character, which ``form.text_in`` refuses.

    Raises:
        ValueError: It is marked as UTF-16 and is none.
    """
    return data.decode(encoding_of(data), "surrogateescape")
