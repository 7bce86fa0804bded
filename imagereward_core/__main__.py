"""``python -m imagereward_core`` is the command ``imagereward``."""

from __future__ import annotations

import sys

from .cli import run_command

if __name__ == "__main__":
    sys.exit(run_command())
