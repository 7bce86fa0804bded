"""Formats that Pillow reads with a further package, or not at all, recognised by their first bytes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

HEAD_BYTES = 32
"""How much of a file is looked at."""


@dataclass(frozen=True)
class Plugin:
    """A format and what opens it.

    Attributes:
        package: The name for ``pip install``; empty where Pillow itself may read the format, or nothing does.
        module, register: What is imported, and its function that registers it with Pillow; empty where importing does.
    """

    title: str
    package: str = ""
    module: str = ""
    register: str = ""
    advice: str = ""

    def load(self) -> bool:
        """Registers the format with Pillow, if the package is there."""
        if not self.module:
            return False
        try:
            found = import_module(self.module)
            if self.register:
                getattr(found, self.register)()
        except Exception:
            # A package that is missing or does not fit this Pillow: the picture stays unreadable.
            return False
        return True

    def problem(self, name: str) -> str:
        """Why a file called ``name`` cannot be opened, and what to do."""
        remedy = (
            f"Install the package it needs with 'pip install {self.package}'" if self.package else self.advice
        )
        also = "" if not self.package else f", or {self.advice[:1].lower()}{self.advice[1:]}"
        return f"{name}: found {self.title}, which this Pillow cannot read; expected a PNG, JPEG, WebP or similar file. {remedy}{also}."


_SAVE = "Save it as PNG"
_HEIF = Plugin("a HEIC picture", "pillow-heif", "pillow_heif", "register_heif_opener", _SAVE)
_AVIF = Plugin("an AVIF picture", "pillow-avif-plugin", "pillow_avif", "", f"{_SAVE}")
_JXL = Plugin("a JPEG XL picture", "pillow-jxl-plugin", "pillow_jxl", "", _SAVE)
_JP2 = Plugin(
    "a JPEG 2000 picture",
    advice=f"Install a Pillow that was built with OpenJPEG, or {_SAVE[:1].lower()}{_SAVE[1:]}",
)
_PSD = Plugin(
    "a Photoshop file of a kind without one flat picture",
    advice="Save it in Photoshop with 'Maximize compatibility', or export it as PNG (the package psd-tools can do that as well)",
)
_EXR = Plugin("an OpenEXR picture", advice="Export it as PNG")
_SVG = Plugin("an SVG drawing", advice="Export it as PNG")

_AT_START = (
    (b"\xff\x0a", _JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JP2),
    (b"\xff\x4f\xff\x51", _JP2),
    (b"8BPS", _PSD),
    (b"\x76\x2f\x31\x01", _EXR),
    (b"<svg", _SVG),
)
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"), _HEIF
    ),
}


def plugin_for(head: bytes) -> Plugin | None:
    """What a file that begins with these ``HEAD_BYTES``, 12 at least, needs; None where nothing is known that would help."""
    if head[4:8] == b"ftyp":
        # The general brand of HEIF stands in front in files of both kinds; then the first of the compatible ones decides.
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, len(head), 4))]
        found = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
        return _AVIF if _AVIF in found else found[0] if found else None
    return next((plugin for start, plugin in _AT_START if head.startswith(start)), None)
