"""Identity of a picture: a hash of its decoded pixels, and a perceptual hash for pictures that look alike."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from PIL import Image

from ..errors import ImageError

HASH_BYTES = 16
_STRIP_PIXELS = 2**22
_SIDE, _KEPT = 32, 8
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright, as in ``PIL.ImageOps.exif_transpose``."""


def content_hash(image: Image.Image) -> bytes:
    """BLAKE2b of a loaded picture's mode, size, palette and pixels, ``HASH_BYTES`` long.

    Metadata, the kind of file and its compression do not count; every pixel does, and so does the mode, because scorers resize
    pictures in their own mode. Hashed in strips, so that no second copy of a large picture is in memory.

    Raises:
        ImageError: Pillow cannot hand out the pixels of this mode.
    """
    digest = hashlib.blake2b(f"{image.mode} {image.width} {image.height}".encode(), digest_size=HASH_BYTES)
    try:
        if image.mode in ("P", "PA"):
            digest.update(bytes(image.getpalette() or ()))
        rows = max(1, _STRIP_PIXELS // max(1, image.width))
        for top in range(0, image.height, rows):
            digest.update(image.crop((0, top, image.width, min(top + rows, image.height))).tobytes())
    except Exception as error:  # Pillow raises many types for modes it can only carry around
        raise ImageError(
            f"A picture of mode {image.mode!r} cannot be read pixel by pixel ({type(error).__name__}: {error}); expected a usual mode. "
            "Save it as an 8-bit RGB picture."
        ) from error
    return digest.digest()


def fingerprint(image: Image.Image) -> int:
    """Perceptual hash of a loaded picture, 64 bits: pictures that look alike differ in few bits.

    The picture counts as it is shown, turned as its EXIF orientation says: one that a camera or a program has stored lying down looks like
    its upright twin.

    The common pHash: grey, 32 x 32, discrete cosine transform, the 8 x 8 lowest frequencies against their median. A picture of
    one colour has all bits but at most one unset.

    Raises:
        ImageError: Pillow cannot convert or resize the picture.
    """
    try:
        small = _grey(image).resize((_SIDE, _SIDE), Image.Resampling.BOX)
        turn = _TURNS.get(_orientation(image))
        small = small if turn is None else small.transpose(turn)
    except Exception as error:
        raise ImageError(
            f"A picture of mode {image.mode!r}, {image.width} x {image.height} pixels, cannot be made grey and small "
            f"({type(error).__name__}: {error}); expected a usual mode. Save it as an 8-bit RGB picture."
        ) from error
    basis = _cosines()
    levels = np.asarray(small, dtype=np.float64)
    # rounded, because what is 0 in a flat picture comes out as noise of either sign
    frequencies = (basis @ levels @ basis.T).round(6).ravel()
    bits = frequencies > np.median(frequencies)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or the EXIF data are damaged. Some Pillows turn a TIFF themselves and then say 1."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data raise many types
        return 1


def _grey(image: Image.Image) -> Image.Image:
    """The picture in 8-bit grey; large ones are made smaller first, which costs a fraction and is averaged over anyway."""
    factor = min(image.width, image.height) // (8 * _SIDE)
    if factor > 1 and image.mode in ("RGB", "L", "RGBA"):
        image = image.reduce(factor)
    if image.mode in ("P", "PA"):  # palettes with transparency would warn
        image = image.convert("RGBA")
    return image.convert("L")


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """The 8 lowest rows of the orthonormal DCT-II of length 32."""
    places = (np.arange(_SIDE) + 0.5) * np.pi / _SIDE
    rows: np.ndarray = np.cos(np.outer(np.arange(_KEPT), places)) * np.sqrt(2 / _SIDE)
    rows[0] /= np.sqrt(2)
    return rows
