"""Routes for pictures: small copies, and the pictures themselves, by ids; made and read in threads of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import FileResponse, Response

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import is_regular
from imagereward_core.files.within import readable_in
from imagereward_core.gallery.formats import HEADERS, as_png, kind_of_picture

from .guard import refusal

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

    from imagereward_core.gallery.small_copies import SmallCopies

    from .part import Pictures

_T = TypeVar("_T")
_LONGEST = 200
_FOR_GOOD = "private, max-age=86400, immutable"
_ASK_AGAIN = "private, no-cache"


def add_pictures(
    app: FastAPI, name: str, pictures: Pictures, copies: SmallCopies, *, bare: bool = False
) -> None:
    """Adds the routes of one part; ``bare`` sends the pixels alone, not what else is in the files."""
    # A large picture takes 100 MB while it is decoded. Known ones are read without waiting for those that are made.
    readers = ThreadPoolExecutor(8, thread_name_prefix=f"imagereward-{name}-read")
    makers = ThreadPoolExecutor(max(2, min(4, os.cpu_count() or 2)), thread_name_prefix=f"imagereward-{name}")
    cache = _FOR_GOOD if pictures.lasting else _ASK_AGAIN

    async def large(path: Path, headers: dict[str, str]) -> Response:
        kind = "" if bare else await in_thread(readers, kind_of_picture, path)
        if kind:
            return FileResponse(path, media_type=kind, headers=headers)
        return Response(await in_thread(makers, as_png, path), media_type="image/png", headers=headers)

    async def small(path: Path, headers: dict[str, str]) -> Response:
        data = await in_thread(readers, copies.known, path)
        if data is None:
            data = await in_thread(makers, copies.get, path)
        return Response(data, media_type="image/jpeg", headers=headers)

    def route(size: str, make: Callable[[Path, dict[str, str]], Awaitable[Response]]) -> None:
        async def answer(request: Request) -> Response:
            try:
                found = await in_thread(readers, _found, pictures, request.path_params["picture"])
                if found is None:
                    return refusal(404, "there is no such picture (any more)")
                path, tag = found
                headers = {**HEADERS, "ETag": tag, "Cache-Control": cache}
                if request.headers.get("if-none-match") == tag:
                    return Response(status_code=304, headers=headers)
                return await make(path, headers)
            except (CuratorError, OSError, ValueError) as error:
                return refusal(404, f"this picture cannot be shown ({type(error).__name__})")

        app.router.add_route(f"/{name}/pictures/{size}/{{picture}}", answer, methods=["GET"])

    route("small", small)
    route("large", large)


async def in_thread(pool: ThreadPoolExecutor, does: Callable[..., _T], *given: Any) -> _T:
    """The result of a function that runs in a thread of ``pool``."""
    return await asyncio.get_running_loop().run_in_executor(pool, partial(does, *given))


def _found(pictures: Pictures, picture: str) -> tuple[Path, str] | None:
    """Where the picture of an id lies, links followed, and a tag for its state; None where it is not there or lies outside."""
    path = pictures.find(picture) if len(picture) <= _LONGEST else None
    if path is None or not is_regular(path):
        return None
    real = readable_in(pictures.folders())(path)
    if real is None:
        return None
    state = real.stat()
    return real, f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
