"""Writes ``locales/en/nodeDefs.json`` from the schemas: ``python tests/comfy_package/english.py``."""

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
    sys.path[:0] = [str(HERE), str(HERE.parent / "nodes"), str(HERE.parents[1])]
    from pack import ROOT, schema_texts

    written = json.dumps(english(schema_texts()), ensure_ascii=False, indent=2)
    (ROOT / "locales" / "en" / "nodeDefs.json").write_text(written + "\n", encoding="utf-8")
