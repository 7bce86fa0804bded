"""Pictures and a way to run the command, shared by the tests of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from . import ROOT

SETTINGS = "\nSteps: 20, Sampler: Euler, Seed: 1, Size: 48x40"


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.document["rows"]


def save_picture(path: Path, colour: tuple[int, int, int], parameters: str = "") -> Path:
    """A small PNG, with ``parameters`` as a WebUI would store them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PngInfo()
    if parameters:
        text.add_itxt("parameters", parameters)
    Image.new("RGB", (48, 40), colour).save(path, pnginfo=text)
    return path


def python(*arguments: object, cwd: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **settings}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
        encoding="utf-8",
    )
