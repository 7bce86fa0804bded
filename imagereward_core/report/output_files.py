"""Decides which existing files results may replace: those this program wrote, by their contents. A picture never."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import CuratorError
from ..files.regular import open_regular
from ..images.signatures import SIGNATURE_BYTES, is_picture
from ..images.suffixes import PICTURE_SUFFIXES, is_picture_name
from ..metadata.companions import PROMPT_ENDINGS, alike, keys
from .own_results import written_by_us

_MOST_LINKS = 40


class OutputFileError(CuratorError):
    """A file is there already that results must not replace."""


def refusal(target: str | os.PathLike[str], overwrite: bool = False) -> str:
    """Why results must not be written to ``target``; empty where they may.

    ``overwrite`` allows to replace a file that this program did not write. A picture is not replaced even then.
    """
    path = Path(target)
    names = _names(path)
    for name in names:
        if picture := _picture_of(name):
            return f"{_led(path, name)} would be read as the prompt of {picture.name}, which lies beside it; give another name"
    shown = next((name for name in names if name.suffix.lower() in PICTURE_SUFFIXES), None)
    try:
        status = path.stat()
    except FileNotFoundError:
        if shown:
            return (
                f"{_led(path, shown)} is a picture's name; expected the name of a file for results, such as "
                f"results{_ending(path)}"
            )
        return ""
    except (OSError, ValueError) as error:
        return f"{path} cannot be written ({error})"
    if stat.S_ISDIR(status.st_mode):
        return f"{path} is a folder; expected the name of a file to write"
    if not stat.S_ISREG(status.st_mode):
        return ""
    if shown or _is_picture(path):
        return f"{_led(path, shown or path)} is a picture, and pictures are never replaced; nothing has been written"
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        return f"{path} is read-only; make it writable, or give another name"
    if overwrite or not status.st_size or written_by_us(path):
        return ""
    return f"{path} is there already and was not written by this program; give another name, or add --overwrite to replace it"


def _names(path: Path) -> list[Path]:
    """A file's name and, where that is a link, the names it leads to: what is written would be read under each of them."""
    names = [path]
    while len(names) <= _MOST_LINKS:
        try:
            led = path.parent / os.readlink(path)  # noqa: PTH115 - as it stands there
        except (OSError, ValueError):
            break
        names.append(path := led)
    return names


def _led(path: Path, name: Path) -> str:
    """How a name that may stand behind a link is shown."""
    return str(path) if name == path else f"{path} leads to {name}, which"


def _picture_of(path: Path) -> Path | None:
    """The picture of which a file of this name is, or would become, the text with its prompt."""
    if not path.name.lower().endswith(PROMPT_ENDINGS):
        return None
    wanted = set(keys(path.name))
    try:
        return next(
            (
                each
                for each in path.parent.iterdir()
                if is_picture_name(each.name) and not wanted.isdisjoint((alike(each.name), alike(each.stem)))
            ),
            None,
        )
    except (OSError, ValueError):
        return None


def _ending(path: Path) -> str:
    return ".html" if path.suffix else ".csv"


def _is_picture(path: Path) -> bool:
    """By its first bytes, whether or not it can be opened; of formats without a mark by what Pillow says."""
    from PIL import Image

    try:
        with open_regular(path) as stream:
            if is_picture(stream.read(SIGNATURE_BYTES)):
                return True
            stream.seek(0)
            with Image.open(stream):
                return True
    except Image.DecompressionBombError:  # raised when a format has known its own
        return True
    except Exception:  # whatever a file that is no picture makes Pillow raise
        return False
