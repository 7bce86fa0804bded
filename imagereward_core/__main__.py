"""``python -m imagereward_core`` is the command ``imagereward``."""

from __future__ import annotations

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
