"""Routes for the pictures of a scored folder: small copies, and the pictures themselves.

Only whom the page was sent to knows their addresses; of a folder that is not allowed (any more) nothing is sent. What is sent is a
picture by its content, whatever the file is called, and is never run as a page. Annotations are not postponed here: FastAPI reads them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import is_regular
from imagereward_core.gallery.formats import HEADERS as PICTURE_HEADERS
from imagereward_core.gallery.formats import as_png, kind_of_picture
from imagereward_core.plain import encodable

from .shown import addresses, small_copies

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

PREFIX = "/imagereward/pictures"
HEADERS = {**PICTURE_HEADERS, "Cache-Control": "private, max-age=86400, immutable"}
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
    data = small_copies.known(row.path)
    return None if data is None else _sent(data, "image/jpeg", row, path)


def _made_small(row: "Row", path: Path) -> Any:
    return _sent(small_copies.get(row.path), "image/jpeg", row, path)


def _as_it_lies(row: "Row", path: Path) -> Any:
    from starlette.responses import FileResponse

    kind = kind_of_picture(path)
    return FileResponse(path, media_type=kind, headers=_headers(row, path)) if kind else None


def _made_large(row: "Row", path: Path) -> Any:
    return _sent(as_png(path), "image/png", row, path)


def _sent(data: bytes, kind: str, row: "Row", path: Path) -> Any:
    """The answer that holds ``data`` for the picture of ``row``, which lies at ``path``."""
    from starlette.responses import Response

    return Response(data, media_type=kind, headers=_headers(row, path))


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


def _missing(why: str = "This picture is not here (any more); score its folder again.") -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(encodable(why), 404, {**HEADERS, "Cache-Control": "no-store"})
