"""The beginning of every page: one file that needs nothing else, and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from .html_text import escape

_ASSETS = Path(__file__).resolve().parent / "assets"
GENERATOR = "ImageReward Curator"


def frame_start(heading: str, style: str, script: str = "") -> str:
    """From the first byte to where the body begins.

    Args:
        heading: The page's title.
        style: Its style.
        script: The one script it may run; by default none.
    """
    runs = _checksum(script) if script else "'none'"
    allowed = f"img-src data:; style-src {_checksum(style)}; script-src {runs}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="{GENERATOR}">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(heading)}</title>
<style>{style}</style>
</head>
<body>
"""


@lru_cache
def asset(name: str) -> str:
    """A style or script that pages hold."""
    return (_ASSETS / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _checksum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
