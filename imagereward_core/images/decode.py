"""Opens pictures: a path, a Pillow picture or an array becomes a loaded Pillow picture, or one clear error.

What a picture holds is taken as the reference takes it: the first frame, without EXIF rotation, without
compositing.
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Union

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import ImageError
from ..files.regular import NotAFileError, open_regular
from ..plain import encodable
from .plugins import HEAD_BYTES, plugin_for

ImageSource = Union[str, "os.PathLike[str]", Image.Image, np.ndarray]

# warnings.catch_warnings swaps state of the whole process, so our threads take turns
_warnings_lock = threading.Lock()


def source_name(source: object) -> str:
    """A short name for messages: a path as it is, anything else by kind and size. Never reads a pixel."""
    if isinstance(source, (str, os.PathLike)):
        return _printable(source)
    if isinstance(source, Image.Image):
        filename = getattr(source, "filename", "")
        kind = _printable(filename) if filename else "picture in memory"
        return f"{kind} ({source.mode}, {source.width} x {source.height})"
    if isinstance(source, np.ndarray):
        return f"array ({source.dtype}, {' x '.join(str(side) for side in source.shape) or 'no dimensions'})"
    return f"object of type {type(source).__name__}"


def open_image(source: ImageSource) -> Image.Image:
    """Open a picture and load its pixels, so that whatever is wrong with it shows here.

    - A path is opened by its content, whatever its suffix. Only the first frame counts; the file is closed
      again. Pictures between once and twice ``PIL.Image.MAX_IMAGE_PIXELS`` open without Pillow's warning.
    - A Pillow picture is loaded and returned itself, at the frame it stands at.
    - An array is ``[H, W]``, ``[H, W, 1]``, ``[H, W, 3]`` or ``[H, W, 4]``: uint8 levels, bool (one channel:
      a 1-bit picture; more: 0 and 255), or floats in 0..1, which become levels as ComfyUI's ``SaveImage``
      makes them (times 255 in float32, clipped, truncated; infinities are clipped).

    Returns:
        A loaded picture of whatever mode the source has.

    Raises:
        ImageError: The source is missing, unreadable, damaged, not a picture, over Pillow's limit, a picture of
            floats with NaN or infinity, or an array of another shape or type, or with NaN. The text names the
            source, what was found, what was expected and what to do.
    """
    if isinstance(source, Image.Image):
        return _load(source, source_name(source))
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(source)
    raise ImageError(
        f"Found an {source_name(source)}; expected a path, a Pillow picture or a NumPy array. "
        f"Convert it to one of these."
    )


def open_bytes(data: bytes, name: str) -> Image.Image:
    """Opens the picture in all bytes of a file, exactly as :func:`open_image` does for a path; ``name`` is what messages call it."""
    if not data:
        raise _empty(name)
    return _open(io.BytesIO(data), name)


def clipping_note(source: str | os.PathLike[str] | Image.Image | BinaryIO) -> str:
    """A remark on scores of grey whose levels are not 0 to 255; empty for all others and for what cannot be read.

    Scorers are shown what their published programs show them, and those clip: nearly all of a picture of 16 bits is white, and of one
    of numbers from 0 to 1 black.
    """
    try:
        with unloaded(source) as image:
            return _clipped(image)
    except Exception:  # whatever is wrong with a picture is said where it is scored
        return ""


@contextmanager
def unloaded(source: str | os.PathLike[str] | Image.Image | BinaryIO) -> Iterator[Image.Image]:
    """A picture whose pixels are not loaded yet: that in a regular file, that in a seekable stream, or an open one itself.

    Raises:
        Exception: Whatever Pillow and its plugins raise about a file, which is much.
    """
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, (str, os.PathLike)):
        with open_regular(source) as stream, _quietly(stream) as image:
            yield image
    else:
        source.seek(0)
        with _quietly(source) as image:
            yield image


def _clipped(image: Image.Image) -> str:
    if not (image.mode.startswith("I") or image.mode == "F"):
        return ""
    brightest = image.getextrema()[1]
    if not isinstance(brightest, (int, float)) or not (
        brightest > 255 or (image.mode == "F" and brightest <= 1)
    ):
        return ""
    levels = "above 255 as white" if brightest > 255 else "up to 1 as black"
    kind = "floating-point numbers" if image.mode == "F" else "16 bits"
    return (
        f"grey of {kind}: scorers see all levels {levels}, as in their published programs. Save the picture with 8 bits to have "
        "it scored as it looks"
    )


def _printable(path: str | bytes | os.PathLike[str]) -> str:
    """The path as text that any terminal and log can encode, also where its bytes are not valid UTF-8."""
    return str(encodable(os.fsdecode(path)))


def _from_file(path: str | os.PathLike[str]) -> Image.Image:
    name = source_name(path)
    try:
        stream = open_regular(path)
    except FileNotFoundError as error:
        if os.path.islink(path):  # noqa: PTH114 (as in open_regular)
            raise ImageError(
                f"{name}: found a link to a file that is not there; expected a picture. Put the file back, or remove the link."
            ) from error
        raise ImageError(f"{name}: no such file; expected a picture. Check the path.") from error
    except NotAFileError as error:
        raise ImageError(not_a_file(name, error)) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise ImageError(
            f"{name}: the path cannot be read ({error}); expected a picture file. Check the path."
        ) from error
    with stream:
        if os.fstat(stream.fileno()).st_size == 0:
            raise _empty(name)
        image = _open(stream, name)
    image.fp = None  # type: ignore[attr-defined]  # Pillow does so itself only for files it has opened
    return image


def not_a_file(name: str, error: NotAFileError) -> str:
    """Why something that is a folder, pipe, socket or device is no picture, and what to do."""
    found = error.strerror or ""
    remedy = "Name a file inside it" if "a folder" in found else "Copy the picture into a file"
    return f"{name}: {found.replace('a file', 'a picture file')}. {remedy}."


def _open(source: BinaryIO, name: str) -> Image.Image:
    try:
        image = _identified(source, name)
    except ImageError:
        raise
    except Exception as error:  # header parsers raise whatever a damaged file makes them raise
        raise _unreadable(name, error) from error
    with image:
        return _load(image, name)


def _identified(source: BinaryIO, name: str) -> Image.Image:
    """The picture, its pixels not loaded yet; a package that reads its format is asked for only where Pillow alone does not."""
    try:
        return _quietly(source)
    except UnidentifiedImageError as error:
        source.seek(0)
        plugin = plugin_for(source.read(HEAD_BYTES))
        if plugin is not None and plugin.load():
            source.seek(0)
            try:
                return _quietly(source)
            except UnidentifiedImageError:
                pass
        elif plugin is not None:
            raise ImageError(plugin.problem(name)) from error
        raise ImageError(
            f"{name}: not a picture, or of a format Pillow cannot read; expected a PNG, JPEG, WebP or "
            f"similar file. Replace or remove the file."
        ) from error


def _quietly(source: BinaryIO) -> Image.Image:
    """The picture as Pillow opens it, without its warning about many pixels."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(source)


def _empty(name: str) -> ImageError:
    return ImageError(f"{name}: the file is empty (0 bytes); expected a picture. Save or download it again.")


def _load(image: Image.Image, name: str) -> Image.Image:
    try:
        image.load()
    except Exception as error:  # decoders raise whatever damaged data makes them raise
        raise _unreadable(name, error) from error
    if image.mode == "F" and not np.isfinite(np.asarray(image)).all():
        # What becomes of them as levels is left to chance.
        raise ImageError(
            f"{name}: the picture holds NaN or infinity; expected ordinary numbers. Save it anew, as an 8-bit RGB picture."
        )
    return image


def _unreadable(name: str, error: Exception) -> ImageError:
    if isinstance(error, Image.DecompressionBombError):
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        return ImageError(
            f"{name}: the picture declares too many pixels ({error}); expected at most {limit}. Scale it "
            f"down, or raise PIL.Image.MAX_IMAGE_PIXELS if you trust the file."
        )
    if isinstance(error, MemoryError):
        return ImageError(
            f"{name}: the picture needs more memory than is free; expected a smaller one. Scale it down."
        )
    return ImageError(
        f"{name}: the picture cannot be decoded ({type(error).__name__}: {error}); expected a complete, "
        f"undamaged file. Save or download it again."
    )


def _from_array(array: np.ndarray) -> Image.Image:
    name = source_name(array)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or array.size == 0:
        raise ImageError(
            f"Found an {name}; expected [height, width] or [height, width, channels] with 1, 3 or 4 channels "
            f"and at least one pixel. Move the channels last and pass one picture at a time."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.bool_:
        levels = array if array.ndim == 2 else array.astype(np.uint8) * 255
    elif array.dtype == np.uint8:
        levels = array
    elif np.issubdtype(array.dtype, np.floating):
        if np.isnan(array).any():
            raise ImageError(
                f"Found NaN in an {name}; expected numbers in 0..1. Generate or decode the picture again."
            )
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is clipped like it
            levels = np.clip(array.astype(np.float32) * np.float32(255), 0, 255).astype(np.uint8)
    else:
        raise ImageError(
            f"Found an {name}; expected uint8 levels, bool, or floats in 0..1. Divide integers by their "
            f"largest level, for instance 65535 for 16 bits, and pass the floats."
        )
    # Pillow may share the array's memory; a copy keeps later changes of the array out of the picture
    return Image.fromarray(np.array(levels, order="C"))
