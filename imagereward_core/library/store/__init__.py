"""The library's memory: pictures by content, prompts, scores and stars in one SQLite file."""

from __future__ import annotations
