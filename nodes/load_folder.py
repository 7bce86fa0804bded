"""Load Pictures from Folder: a folder of pictures with their prompts, so that a graph can sort what exists already."""

from __future__ import annotations

import hashlib
import logging
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..imagereward_core.images.suffixes import is_picture_name
from ..imagereward_core.plain import count_of, plain, well_formed
from .drawing import to_tensor
from .host.errors import GraphError
from .host.folders import inside
from .host.outputs import watched
from .prompts import NoPrompt
from .schema import dropdown, entry, output, schema

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

log = logging.getLogger(__name__)

SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"}
ROOT = "."


class LoadFolder(io.ComfyNode):
    """Pictures of a folder below the host's input folder."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        import folder_paths

        return schema(
            "LoadFolder",
            "Load Pictures from Folder",
            "Loads the pictures of a folder inside ComfyUI's input folder as a list, each in its own size, with the prompts found in their "
            "metadata or in text files beside them. Nothing is changed or moved.",
            [
                dropdown(
                    "folder",
                    [ROOT, *filterfalse(_is_store, folder_paths.get_input_subfolders())],
                    "A folder inside ComfyUI's input folder; '.' is the input folder itself.",
                ),
                entry(
                    io.Boolean,
                    "subfolders",
                    "Whether pictures in folders below it are loaded as well.",
                    default=False,
                ),
                entry(
                    io.Int,
                    "start",
                    "How many pictures, in order of their names, to pass over.",
                    default=0,
                    min=0,
                    max=1_000_000,
                ),
                entry(
                    io.Int,
                    "most",
                    "Load at most this many; all of them are in memory at once.",
                    default=100,
                    min=1,
                    max=4096,
                ),
            ],
            [
                output(io.Image, "images", "One picture per entry, in its own size.", many=True),
                output(
                    io.String,
                    "prompts",
                    "The prompt of each picture, from its metadata or the text file beside it; empty where there is none.",
                    many=True,
                ),
                output(io.String, "names", "File names without folder and suffix.", many=True),
            ],
            ("load images from directory", "batch load", "folder of images"),
        )

    @classmethod
    def fingerprint_inputs(
        cls, folder: str = ROOT, subfolders: bool = False, start: int = 0, most: int = 100
    ) -> str:
        """Changes when pictures, or the texts beside them, are added, removed or changed.

        The host writes it into saved pictures, so it names no path.
        """
        stamps = hashlib.sha256()
        beside = _texts_beside(folder, subfolders)
        for path in _find(folder, subfolders)[start : start + most]:
            try:
                status = path.stat()
            except OSError:  # gone since it was listed
                continue
            stamps.update(
                f"{path} {status.st_size} {status.st_mtime_ns} {beside.get(path, 0)}\n".encode(
                    "utf-8", "surrogateescape"
                )
            )
        return stamps.hexdigest()

    @classmethod
    def execute(cls, folder: str = ROOT, subfolders: bool = False, start: int = 0, most: int = 100) -> Any:
        """Loads."""
        from ..imagereward_core.errors import ImageError

        found = _find(folder, subfolders)
        wanted = found[start : start + most]
        images, prompts, names = [], [], []
        for path in watched(wanted):
            try:
                images.append(load_picture(path))
            except ImageError as error:
                log.warning("Load Pictures from Folder passes over a file: %s", plain(error))
            else:
                prompts.append(prompt_of(path))
                names.append(well_formed(path.stem))
                _tell_brightened(path)
        if not images:
            raise GraphError(
                f"there is no picture to load in {folder!r}: {count_of(len(found), 'file')} with the name of a picture, start is {start}. "
                "Put pictures into that folder inside ComfyUI's input folder, or choose another one."
            )
        return io.NodeOutput(images, prompts, names)


def _is_store(path: str | Path) -> bool:
    """Whether a path below the input folder belongs to what a library keeps there; nothing in it is anybody's picture."""
    from ..imagereward_core.files import STORE_FOLDER

    return STORE_FOLDER in Path(path).parts


def _find(folder: str, subfolders: bool) -> list[Path]:
    """Files that look like pictures, by name.

    Raises:
        GraphError: The folder is not inside the input folder, or is none.
    """
    import folder_paths

    root = inside(folder_paths.get_input_directory(), folder)
    if not root.is_dir():
        raise GraphError(
            f"there is no folder {folder!r} inside ComfyUI's input folder; choose one of the list"
        )
    files = root.rglob("*") if subfolders else root.iterdir()
    return sorted(
        (
            path
            for path in files
            if path.suffix.lower() in SUFFIXES
            and is_picture_name(path.name)
            and not _is_store(path.relative_to(root))
            and path.is_file()
        ),
        key=lambda path: str(path).casefold(),
    )


def _texts_beside(folder: str, subfolders: bool) -> dict[Path, int]:
    """For every picture the mark of the texts beside it, as a library notes it."""
    import folder_paths

    from ..imagereward_core.library.scan.options import ScanOptions
    from ..imagereward_core.library.scan.walk import walk

    root = inside(folder_paths.get_input_directory(), folder)
    listings = walk(root, ScanOptions(recursive=subfolders), lambda folder, reason: None)
    return {listing.path / each.name: each.beside for listing in listings for each in listing.pictures}


def load_picture(path: Path) -> Tensor:
    """A picture as the host holds it: upright, float32 [1, H, W, C] in 0..1, with a fourth channel where something shows through.

    Raises:
        ImageError: It cannot be read.
    """
    from ..imagereward_core.images.decode import open_image

    return to_tensor(_upright(open_image(path)))


def _upright(picture: Image.Image) -> Image.Image:
    from PIL import ImageOps

    see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if picture.mode.startswith("I;16") or picture.mode == "I":
        picture = picture.point(lambda level: level / 256).convert("L")
    turned = ImageOps.exif_transpose(picture) or picture
    if see_through:
        turned = turned.convert("RGBA")
        if turned.getchannel("A").getextrema() != (255, 255):
            return turned
    return turned.convert("RGB")


def _tell_brightened(path: Path) -> None:
    """Says where the host shows a picture otherwise than scorers' published programs do, so that its score is another one."""
    from ..imagereward_core.images.decode import clipping_note

    if note := clipping_note(path):
        log.warning(
            "Load Pictures from Folder loads %s as it looks, as ComfyUI does; elsewhere it is scored otherwise: %s",
            plain(path.name),
            note,
        )


def prompt_of(path: Path) -> str:
    """The prompt a picture was made with, as written; where none is found, an empty text that knows why."""
    from ..imagereward_core.metadata.prompt_finder import PromptFinder

    found = PromptFinder(None)(path)
    return found.written or NoPrompt(f"{path.name}: {found.problem}")


NODES = [LoadFolder]
