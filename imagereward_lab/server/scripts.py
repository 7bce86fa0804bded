"""Scripts and style that pages share with the WebUI's tab: in a checkout where the WebUI finds them, in a wheel beside this file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_PACKED = Path(__file__).with_name("javascript")
_ROOT = Path(__file__).resolve().parents[2]

SCRIPTS: tuple[Path, ...] = (_PACKED,) if _PACKED.is_dir() else (_ROOT / "javascript", _ROOT / "style.css")
"""Folders and files with them, for :attr:`.part.Part.files`."""
_TRANSLATIONS = _PACKED if _PACKED.is_dir() else _ROOT / "localizations"
_FILES = {"zh": "zh_CN.json"}


@cache
def script_texts(language: str) -> dict[str, str]:
    """The texts of the scripts in a language, by the English ones; empty for English."""
    if language not in _FILES:
        return {}
    table = json.loads((_TRANSLATIONS / _FILES[language]).read_text(encoding="utf-8"))
    folder = SCRIPTS[0]
    said = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("imagereward_*.js")))
    return {text: translated for text, translated in table.items() if f'"{text}"' in said}
