"""Text that is safe on a terminal or in a log: names, prompts and errors of others cannot command what shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TextIO

COMMANDS = "\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Characters a display obeys instead of showing, as the inside of a pattern's brackets: control characters (C0, DEL, C1), marks that end a
line, marks that turn the direction of what follows, and halves of characters, which undecodable file names hold."""
_ANY = f"[{COMMANDS}]"
_HALF = "[\ud800-\udfff]"
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""Beginnings of cells that a spreadsheet runs as a formula; the last four are the wide forms that East Asian ones take too."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: object, keep: str = "") -> str:
    r"""Text with every character that commands a display written out, as Python and JSON write it, but for those to ``keep``.

    >>> plain("cat\x1b[31m.png\n")
    'cat\\u001b[31m.png\\n'
    """
    return re.sub(_ANY, lambda found: found[0] if found[0] in keep else _written(found[0]), str(text))


def _written(character: str) -> str:
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def well_formed(text: str) -> str:
    r"""Text without halves of characters, which damaged JSON and other programs bring, and which no file, network or tokenizer takes.

    >>> well_formed("a \ud800 cat"), well_formed("\ud83d\ude00") == "\U0001f600"
    ('a ? cat', True)
    """
    if text.isascii() or not re.search(_HALF, text):
        return text
    # Two halves that belong together are one character.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return whole.encode("utf-8", "replace").decode("utf-8")


def encodable(value: Any) -> Any:
    r"""A value in which halves of characters are written out, in all texts of it: undecodable file names stay readable.

    >>> encodable({"a\udcff.png": ["b\udcfe", 1]})
    {'a\\udcff.png': ['b\\udcfe', 1]}
    """
    return with_texts(value, lambda text: text.encode("utf-8", "backslashreplace").decode("utf-8"))


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A value, such as JSON gives, with every text in it changed, keys included.

    Raises:
        RecursionError: It is nested too deep.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {with_texts(key, change): with_texts(each, change) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        changed = [with_texts(each, change) for each in value]
        return tuple(changed) if isinstance(value, tuple) else changed
    return value


def spreadsheet_safe(value: Any) -> Any:
    """A value as a cell that no spreadsheet runs: numbers stay, text that would be a formula gets an apostrophe in front."""
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


class PlainStream:
    """A stream for people, on which everything is :func:`plain` but line ends and tabs. Bytes, through ``buffer``, pass as they are."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes a text; returns its length, as every stream does."""
        self.stream.write(plain(text, "\n\t"))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes one text after another."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def count_of(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count_of(1, "picture"), count_of(2000, "picture")
    ('1 picture', '2,000 pictures')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
