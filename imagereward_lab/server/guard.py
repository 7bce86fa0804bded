"""What every request has to pass before a part sees it: the right name, the same origin, a token where one is needed, a bearable size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .access import LONGEST, Access, given_token
from .hosts import Hosts
from .shell import entry

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1024 * 1024
"""Bytes of a request's body, unless a server is made with another limit."""
_SAFE = ("GET", "HEAD")
_PUBLIC = ("/enter", "/static/shared/")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer that does not say otherwise."""


class Guard:
    """Stands before the routes."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Hosts, largest_body: int = LARGEST_BODY) -> None:
        self.app, self.access, self.hosts, self.largest_body = app, access, hosts, largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what may not pass itself."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # there are no others here
            return await send({"type": "websocket.close", "code": 1008})
        headers = Headers(scope=scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    sent.setdefault(name, value)
            await send(message)

        refused = self._refused(scope, headers) or await self._unknown(scope, headers)
        if refused is not None:
            return await refused(scope, receive, answer)
        await self.app(scope, self._within_limit(receive), answer)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        if len(headers.getlist("host")) != 1 or not self.hosts.knows(headers["host"]):
            known = ", ".join(sorted(self.hosts.names))
            return refusal(
                421,
                f"this server is not reached under this name; it is known as {known}. --name adds another",
            )
        if objection := _other_origin(scope["method"], headers):
            return refusal(403, objection)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.largest_body:
            return refusal(413, self._too_much)
        if scope["method"] not in (*_SAFE, "OPTIONS") and not _is_json(headers):
            return refusal(415, "the body of a request here is JSON (Content-Type: application/json)")
        return None

    async def _unknown(self, scope: Scope, headers: Headers) -> Response | None:
        token = given_token(headers)
        if token and len(token) <= LONGEST:
            scope["imagereward.person"] = await run_in_threadpool(self.access.who, token)
        path = scope["path"]
        may = scope.get("imagereward.person") is not None or not self.access.required
        if may or path == _PUBLIC[0] or path.startswith(_PUBLIC[1]):
            return None
        if "text/html" in headers.get("accept", "") and scope["method"] == "GET":
            return entry(headers)
        return refusal(401, "a token is needed here; open the link you were given")

    def _within_limit(self, receive: Receive) -> Receive:
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.largest_body:
                raise HTTPException(413, self._too_much, {"Connection": "close"})
            return message

        return counted

    @property
    def _too_much(self) -> str:
        return f"this is too large; at most {self.largest_body:,} bytes are taken at once"


def refusal(status: int, problem: str, more: Mapping[str, Any] | None = None) -> Response:
    """An answer that says in a sentence what was wrong, as ``{"problem": ...}``."""
    return JSONResponse({"problem": problem, **(more or {})}, status)


def _other_origin(method: str, headers: Headers) -> str:
    """Why a request looks like one that another site's page makes; empty where it does not."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None:
        # Compared as a text: what is no address is no page of this server either.
        scheme, _, host = origin.lower().partition("://")
        if scheme not in ("http", "https") or host != headers["host"].strip().lower():
            return "a page of another site asked for this; only pages of this server may"
    if site not in ("same-origin", "none"):
        moves = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if method not in _SAFE or not moves:  # a link elsewhere may lead here
            return "a page of another site asked for this; only pages of this server may"
    return ""


def _is_json(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
