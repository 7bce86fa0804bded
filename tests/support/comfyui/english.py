"""Writes ``locales/en/nodeDefs.json`` from the schemas: ``python tests/support/comfyui/english.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESERVED = "{}@|"
"""Characters that the front end's message format gives a meaning of its own."""


def english(texts):
    """The schemas' texts as locale entries; empty ones are left out."""
    if isinstance(texts, dict):
        return {key: english(value) for key, value in texts.items() if value is not None}
    return texts


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    from tests.support.comfyui.pack import ROOT, schema_texts

    written = json.dumps(english(schema_texts()), ensure_ascii=False, indent=2)
    (ROOT / "locales" / "en" / "nodeDefs.json").write_text(written + "\n", encoding="utf-8")
