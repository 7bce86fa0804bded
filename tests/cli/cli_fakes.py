"""Pictures and a way to run the command, shared by the tests of the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

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
