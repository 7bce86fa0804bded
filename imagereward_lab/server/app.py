"""The application made of parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteError
from starlette.responses import FileResponse, RedirectResponse, Response

from imagereward_core.errors import CuratorError
from imagereward_core.gallery.small_copies import SmallCopies
from imagereward_core.plain import encodable

from .access import LONGEST, Access, cookie_name
from .guard import LARGEST_BODY, Guard, refusal
from .hosts import Hosts
from .part import Part
from .pictures import add_pictures
from .shell import STATIC

_YEAR = 365 * 24 * 3600
_SERVED = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html",
    ".txt": "text/plain",
}
"""Files of a part that are sent, by their endings."""


def make_app(
    parts: Sequence[Part],
    access: Access,
    hosts: Hosts,
    *,
    small_copies: SmallCopies | None = None,
    largest_body: int = LARGEST_BODY,
) -> Guard:
    """The application. ``/`` leads to the first part.

    Args:
        parts: What it serves.
        access: Who may come in.
        hosts: Under which names it is reached.
        small_copies: Where small copies of pictures are kept; by default in a folder that goes with the server.
        largest_body: Bytes of a request's body at most.
    """
    copies = small_copies or SmallCopies()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        for part in parts:
            part.begin()
        try:
            yield
        finally:
            for part in parts:
                await asyncio.to_thread(part.end)
            copies.close()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=life, redirect_slashes=False)
    _add_errors(app)
    _add_shared(app, access, parts[0].name if parts else "")
    _add_files(app, "shared", [STATIC])
    for part in parts:
        if part.pictures is not None:
            add_pictures(app, part.name, part.pictures, copies, bare=part.bare_pictures)
        if part.files:
            _add_files(app, part.name, part.files)
        app.include_router(part.router, prefix=f"/{part.name}")
    return Guard(app, access, hosts, largest_body)


def _add_shared(app: FastAPI, access: Access, first: str) -> None:
    @app.get("/")
    def start() -> Response:
        return RedirectResponse(f"/{first}", 307)

    @app.get("/enter")
    def inside(request: Request) -> Response:
        """Whether the browser has come in already."""
        known = request.scope.get("imagereward.person") is not None or not access.required
        return Response(status_code=204) if known else refusal(401, "not yet")

    @app.post("/enter")
    async def enter(request: Request) -> Response:
        """Takes a token, and gives a cookie for it."""
        told: Any = await read_json(request)
        token = told.get("token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not 0 < len(token) <= LONGEST or not token.isascii():
            return refusal(400, "expected a token")
        if await asyncio.to_thread(access.who, token) is None:
            return refusal(401, "nobody has this token (any more); ask for a new link")
        answer = Response(status_code=204)
        name = cookie_name(request.headers["host"])
        answer.set_cookie(name, token, max_age=_YEAR, httponly=True, samesite="strict", path="/")
        return answer

    @app.post("/leave")
    def leave(request: Request) -> Response:
        """Takes the cookie away."""
        answer = Response(status_code=204)
        answer.delete_cookie(cookie_name(request.headers["host"]), httponly=True, samesite="strict", path="/")
        return answer


async def read_json(request: Request) -> Any:
    """The body of a request.

    Raises:
        HTTPException: It is no JSON.
    """
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "this is no JSON") from error


def _add_files(app: FastAPI, name: str, places: Sequence[Path]) -> None:
    """Serves files, and those that lie in folders now: no name in a request is ever looked up on the disk."""
    known: dict[str, Path] = {}
    for place in reversed(places):
        found = place.iterdir() if place.is_dir() else (place,)
        known |= {path.name: path for path in found if path.is_file()}

    async def static(request: Request) -> Response:
        path = known.get(request.path_params["file"])
        if path is None or path.suffix not in _SERVED:
            return refusal(404, "there is no such file")
        return FileResponse(path, media_type=_SERVED[path.suffix], headers={"Cache-Control": "no-cache"})

    app.router.add_route(f"/static/{name}/{{file}}", static, methods=["GET"])


def _add_errors(app: FastAPI) -> None:
    def answers(kind: type[Exception] | int, say: Callable[[Any], Response]) -> None:
        async def handler(_: Request, error: Exception) -> Response:
            return say(error)

        app.add_exception_handler(kind, handler)

    answers(StarletteError, lambda error: refusal(error.status_code, str(error.detail)))
    answers(CuratorError, lambda error: refusal(400, encodable(str(error))))
    answers(RequestValidationError, lambda error: refusal(400, _words(error)))
    failed = "this failed here ({}); the window in which the server runs says more"
    answers(Exception, lambda error: refusal(500, failed.format(type(error).__name__)))


def _words(error: RequestValidationError) -> str:
    said = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:3]]
    return encodable("; ".join(said))[:500]
