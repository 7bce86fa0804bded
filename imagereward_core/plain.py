"""Text as it may stand on a terminal or in a log: names, prompts and errors of others cannot command what shows them."""

from __future__ import annotations

import re
from typing import Any, TextIO

COMMANDS = "\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""What a display obeys instead of showing it, as the inside of a pattern's brackets: control characters (C0, DEL, C1), marks that end a
line, marks that turn the direction of what follows, and halves of characters, which undecodable file names hold."""
_ANY = re.compile(f"[{COMMANDS}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: object, keep: str = "") -> str:
    r"""Text with every character that commands a display written out, as Python and JSON write it.

    Args:
        text: Anything with a text.
        keep: Characters that are meant, such as the line ends between messages.

    >>> plain("cat\x1b[31m.png\n")
    'cat\\u001b[31m.png\\n'
    """
    return _ANY.sub(lambda found: found[0] if found[0] in keep else _written(found[0]), str(text))


def _written(character: str) -> str:
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


class PlainStream:
    """A stream for people, on which everything is :func:`plain` but line ends and tabs. Bytes, through ``buffer``, pass as they are.

    Args:
        stream: Where the text goes.
    """

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
