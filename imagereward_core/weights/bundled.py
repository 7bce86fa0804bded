"""Paths of the files that ship with the package."""

from __future__ import annotations

from pathlib import Path

MODEL_FOLDER = Path(__file__).resolve().parents[1] / "demo" / "model"
FACTS_FILE = MODEL_FOLDER / "facts.json"
