"""Makes the independent networks of the tests in ``nets`` importable here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "nets"))
