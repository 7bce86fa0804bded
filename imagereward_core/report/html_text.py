"""Text and links escaped for a page."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from ..plain import plain


def escape(text: object) -> str:
    """Text as it may stand between tags and in quoted attributes. Characters that command a display are written out."""
    return html.escape(plain(text, "\t\n\r\u2028\u2029"), quote=True)


def relative_link(path: Path | None, folder: Path) -> str:
    """A link from a page in ``folder`` to ``path``, relative and percent-encoded; empty where there can be none.

    It always begins with a dot, so that no file name can be taken for a scheme such as ``javascript:``.
    """
    if path is None:
        return ""
    try:
        relative = PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return ""
    return quote(relative if relative.startswith("../") else f"./{relative}", errors="surrogateescape")


def json_for_page(content: Any) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or a line of the script."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
