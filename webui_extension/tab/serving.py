"""The routes under which the page finds the pictures of a scored folder: small copies, and the pictures themselves.

Only whom the page was sent to knows their addresses; of a folder that is not allowed (any more) nothing is sent. What is sent is a
picture by its content, whatever the file is called, and is never run as a page. Annotations are not postponed here: FastAPI reads them.
"""

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError, ImageError

from .addresses import PREFIX, addresses
from .thumbs import thumbs

if TYPE_CHECKING:
    from imagereward_core.library.records import Row

KINDS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
"""What browsers show as it is, by Pillow's name; anything else is sent as PNG."""
HEADERS = {
    "Cache-Control": "private, max-age=86400, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_making = threading.Semaphore(4)
"""Pictures decoded at once; the host's thread pool would decode forty, and a large one takes 100 MB."""


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


def small(address: str) -> Any:
    """A small copy of a picture; grey for one that cannot be read."""
    from starlette.responses import FileResponse

    row = _row_of(address)
    if row is None:
        return _missing()
    try:
        with _making:
            path = thumbs.file(row)
    except CuratorError as error:
        return _missing(str(error))
    return FileResponse(path, media_type="image/jpeg", headers=HEADERS)


def large(address: str) -> Any:
    """A picture as it lies on the disk, or as PNG where browsers cannot show its format."""
    from starlette.responses import FileResponse, Response

    row = _row_of(address)
    if row is None:
        return _missing()
    try:
        kind = _kind(row.path)
        if kind:
            return FileResponse(row.path, media_type=kind, headers=HEADERS)
        with _making:
            return Response(_as_png(row.path), media_type="image/png", headers=HEADERS)
    except (ImageError, OSError, ValueError) as error:
        return _missing(str(error))


def _row_of(address: str) -> "Row | None":
    """The file of an address, if it is still there and may still be shown."""
    from ..hosts import allowed_folders
    from ..places import PlaceError, confine

    row = addresses.row(address)
    if row is None or not row.path.is_file():
        return None
    try:
        confine(str(row.path), allowed_folders())
    except PlaceError:
        return None
    return row


def _kind(path: Path) -> str:
    """What a file is by its first bytes, as a media type that browsers show; empty for another one."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return KINDS.get(picture.format or "", "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""


def _as_png(path: Path) -> bytes:
    """A picture that browsers do not know, without loss.

    Raises:
        ImageError: It cannot be read.
    """
    from PIL import ImageOps

    from imagereward_core.images.decode import open_image

    picture = ImageOps.exif_transpose(open_image(path))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _missing(why: str = "This picture is not here (any more); score its folder again.") -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(why, 404, {**HEADERS, "Cache-Control": "no-store"})
