"""Routes for the pictures of a scored folder: small copies, and the pictures themselves.

Only whom the page was sent to knows their addresses; of a folder that is not allowed (any more) nothing is sent. What is sent is a
picture by its content, whatever the file is called, and is never run as a page. Annotations are not postponed here: FastAPI reads them.
"""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import is_regular
from imagereward_core.plain import encodable

from .addresses import PREFIX, addresses
from .thumbs import thumbs

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

KINDS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
"""Formats that browsers show as they are, by Pillow's name; anything else is sent as PNG."""
HEADERS = {
    "Cache-Control": "private, max-age=86400, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_makers = ThreadPoolExecutor(4, thread_name_prefix="imagereward-pictures")
"""Pictures are decoded here, four at once: a large one takes 100 MB, and the host needs its own forty threads meanwhile."""


def add_routes(app: Any) -> None:
    """Adds the routes to the host's server."""
    for name, answer in (("small", small), ("large", large)):
        app.add_api_route(
            f"{PREFIX}/{name}/{{address}}",
            answer,
            methods=["GET"],
            include_in_schema=False,
            response_model=None,
        )


async def small(address: str) -> Any:
    """A small copy of a picture; nothing for one that cannot be read, so that the page asks again."""
    return await _answered(address, _known_small, _made_small)


async def large(address: str) -> Any:
    """A picture as it lies on the disk, or as PNG where browsers cannot show its format."""
    return await _answered(address, _as_it_lies, _made_large)


async def _answered(
    address: str, ready: "Callable[[Row, Path], Any]", made: "Callable[[Row, Path], Any]"
) -> Any:
    """The copy that is ready, without waiting for those of other pictures; else the one that is made when its turn comes."""
    from starlette.concurrency import run_in_threadpool

    try:
        found = await run_in_threadpool(_found, address)
        if found is None:
            return _missing()
        response = await run_in_threadpool(ready, *found)
        if response is None:
            response = await asyncio.get_running_loop().run_in_executor(_makers, made, *found)
        return response
    except (CuratorError, OSError, ValueError) as error:
        return _missing(str(error))


def _known_small(row: "Row", path: Path) -> Any:
    return _file(thumbs.known(row), "image/jpeg", row, path)


def _made_small(row: "Row", path: Path) -> Any:
    return _file(thumbs.file(row), "image/jpeg", row, path)


def _as_it_lies(row: "Row", path: Path) -> Any:
    kind = _kind(path)
    return _file(path if kind else None, kind, row, path)


def _made_large(row: "Row", path: Path) -> Any:
    from starlette.responses import Response

    return Response(_as_png(path), media_type="image/png", headers=_headers(row, path))


def _file(sent: Path | None, kind: str, row: "Row", path: Path) -> Any:
    """The answer that holds a file for the picture of ``row``, which lies at ``path``; None without a file."""
    from starlette.responses import FileResponse

    return None if sent is None else FileResponse(sent, media_type=kind, headers=_headers(row, path))


def _found(address: str) -> "tuple[Row, Path] | None":
    """The file of an address and where it lies, links followed, if it is still there and may still be shown."""
    from ..host.allowed_paths import PlaceError, confine
    from ..host.info import allowed_folders

    row = addresses.row(address)
    if row is None or not is_regular(row.path):
        return None
    try:
        return row, confine(str(row.path), allowed_folders())
    except PlaceError:
        return None


def _headers(row: "Row", path: Path) -> dict[str, str]:
    """A browser may keep what an address stands for, and nothing that took its place since."""
    state = path.stat()
    same = (state.st_mtime_ns, state.st_size) == (row.modified_ns, row.size)
    return HEADERS if same else {**HEADERS, "Cache-Control": "no-store"}


def _kind(path: Path) -> str:
    """The media type of a file by its first bytes, where browsers show it; else empty."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return KINDS.get(picture.format or "", "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""


def _as_png(path: Path) -> bytes:
    """A picture that browsers do not know: without loss, but for CMYK and floating point, which become 8 bits of red, green and blue.

    Raises:
        ImageError: It cannot be read.
    """
    from PIL import ImageOps

    from imagereward_core.images.decode import open_image

    picture = ImageOps.exif_transpose(open_image(path))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _missing(why: str = "This picture is not here (any more); score its folder again.") -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(encodable(why), 404, {**HEADERS, "Cache-Control": "no-store"})
