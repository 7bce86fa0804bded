"""Texts of pages in several languages, from one table, and the choice of a language and a theme."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .part import Texts

if TYPE_CHECKING:
    from starlette.datastructures import Headers

LANGUAGES = {"en": "English", "zh": "中文"}
"""By their codes; the first is the one used where nothing else fits."""


def read_texts(path: Path) -> Texts:
    """A table of texts: JSON of the form ``{"key": {"en": "...", "zh": "..."}}``.

    Raises:
        ValueError: A text is missing in one of the languages.
    """
    table: Texts = json.loads(path.read_text(encoding="utf-8"))
    for key, each in table.items():
        if set(each) != set(LANGUAGES) or not all(each.values()):
            raise ValueError(f"{path}: the text {key!r} is in {sorted(each)}; expected {sorted(LANGUAGES)}")
    return table


def in_language(tables: Iterable[Texts], language: str) -> dict[str, str]:
    """All texts of some tables in one language, later tables over earlier ones."""
    return {key: each[language] for table in tables for key, each in table.items()}


def wanted_language(headers: Headers, cookies: Mapping[str, str]) -> str:
    """The language somebody chose, else the first that the browser asks for, else English."""
    if cookies.get("imagereward-language") in LANGUAGES:
        return cookies["imagereward-language"]
    for part in headers.get("accept-language", "")[:500].split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return next(iter(LANGUAGES))
