"""Pictures and prompts of a request; one that is wrong gets a reason, the others are scored."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.errors import CuratorError, ImageError
from imagereward_core.files.regular import open_regular
from imagereward_core.metadata.prompt_finder import FoundPrompt, PromptFinder

from ..host.allowed_paths import confine

if TYPE_CHECKING:
    from PIL import Image

    from .limits import Limits
    from .schemas import PictureIn

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
"""Formats that uploads are read as; Pillow's other readers are not let near data from elsewhere, some of them start programs."""


class Prompts(PromptFinder):
    """Finds prompts, and says what a request can do where there is none."""

    without_words = "; send another one as 'prompt', or set 'raw_prompt'"
    without_prompt = ". Send one as 'prompt'"


@dataclass(frozen=True)
class Asked:
    """One picture of a request; ``prompt`` is its prompt, or why it cannot be scored."""

    name: str
    picture: Path | Image.Image | None
    prompt: FoundPrompt


class Budget:
    """Counts the pixels of a request's pictures; refuses a picture with too many, and the first with which they are too many together."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.spent = limits, 0

    def spend(self, size: tuple[int, int]) -> None:
        """Counts a picture of ``size`` (width and height).

        Raises:
            ImageError: It is too large, or there is no room for it; it is not counted.
        """
        pixels, limits = size[0] * size[1], self.limits
        if pixels > limits.most_pixels:
            raise ImageError(
                f"the picture has {size[0]} x {size[1]} pixels, {pixels / 1e6:.1f} million; expected at most {limits.most_megapixels:g} "
                "million. Scale it down, or raise the limit in the settings"
            )
        if self.spent + pixels > limits.most_pixels_together:
            raise ImageError(
                f"the pictures of this request before it have {self.spent / 1e6:.1f} million pixels together, and this one "
                f"{pixels / 1e6:.1f} million more; expected at most {limits.most_megapixels_together:g} million in one request. Send it in "
                "another request, or raise the limit in the settings"
            )
        self.spent += pixels


def ask(
    number: int,
    wanted: PictureIn,
    common: str | None,
    finder: Prompts,
    folders: Sequence[Path],
    budget: Budget,
) -> Asked:
    """Reads the entry of a request with that number, from 0; never raises for what it holds. ``common`` is the prompt of the request."""
    name = wanted.name or wanted.path or f"picture {number + 1}"
    try:
        picture = read_picture(wanted, folders, budget)
    except CuratorError as error:
        return Asked(name, None, FoundPrompt(problem=str(error)))
    written = wanted.prompt if wanted.prompt is not None else common
    if written is not None:
        finder = Prompts(written, raw=finder.raw)
    return Asked(name, picture, finder(picture))


def read_picture(wanted: PictureIn, folders: Sequence[Path], budget: Budget) -> Path | Image.Image:
    """The picture of an entry: a path that may be read, or an opened picture whose pixels are not decoded yet.

    Raises:
        PlaceError: The path leads elsewhere.
        ImageError: The entry holds no picture, or one that is too large.
    """
    if (wanted.image is None) == (wanted.path is None):
        found = "neither" if wanted.image is None else "both"
        raise ImageError(f"expected either 'image' or 'path' for a picture; found {found}")
    if wanted.path is not None:
        path = confine(wanted.path, folders)
        size = size_of(path)
        if size is not None:
            budget.spend(size)
        return path
    assert wanted.image is not None
    picture = open_upload(wanted.image, budget.limits)
    budget.spend(picture.size)
    return picture


def open_upload(text: str, limits: Limits) -> Image.Image:
    """The picture that ``text`` holds in base64, opened, its pixels not decoded yet.

    Raises:
        ImageError: It holds none that can be read, or one that is too large for Pillow.
    """
    from PIL import Image

    head, comma, rest = text.partition(",")
    if head.startswith(("http://", "https://")):
        raise ImageError(
            "an address was sent; expected the picture itself in base64. Addresses are never fetched"
        )
    encoded = rest if comma and head.lower().startswith("data:") else text
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            f"'image' is not base64 ({error}); expected the bytes of a picture file in base64"
        ) from error
    Image.init()
    known = [form for form in FORMATS if form in Image.OPEN]
    try:
        picture = Image.open(io.BytesIO(data), formats=known)
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"the picture declares too many pixels ({error}); expected at most {limits.most_megapixels:g} million. Scale it down"
        ) from error
    except Exception as error:  # header parsers raise whatever damaged data makes them raise
        raise ImageError(
            f"'image' holds {len(data)} bytes that cannot be read as a picture; expected one of {', '.join(known)}"
        ) from error
    return picture


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture file; None where what is wrong with it is left to the scorer to say."""
    from PIL import Image

    try:
        with open_regular(path) as stream, Image.open(stream) as picture:
            return picture.size
    except Exception:  # the scorer says it better, and for a folder or a missing file too
        return None
