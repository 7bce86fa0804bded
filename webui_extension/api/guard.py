"""Who may use the routes, and how much a request may bring: both are looked at before a request's body is read.

A WebUI guards its own API with ``--api-auth``, but no route of an extension; so its check is made here again. Where the API has no
accounts and the pages have (``--gradio-auth``), those accounts are asked for: the routes read files, and who may not see the pages
shall not see those either. Only a name and a password sent with the request count, never the cookie of a page that is logged in,
so that no other web page can act in a person's name.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from .limits import limits

Accounts = Mapping[str, str]
Receive = Callable[[], Awaitable[Any]]


def accounts() -> dict[str, str]:
    """Names with their passwords, as the host was started with them; empty where it was started without.

    Raises:
        OSError: The file with the pages' accounts cannot be read.
    """
    from modules.shared import cmd_opts

    named = read_accounts([getattr(cmd_opts, "api_auth", None) or ""])
    if named:
        return named
    lines = [getattr(cmd_opts, "gradio_auth", None) or ""]
    listed = getattr(cmd_opts, "gradio_auth_path", None)
    if listed:
        with open(listed, encoding="utf-8") as file:  # noqa: PTH123 - what the host does, error for error
            lines += file.read().splitlines()
    return read_accounts(lines)


def read_accounts(lines: Iterable[str]) -> dict[str, str]:
    """Accounts in the host's form: ``name:password``, several of them separated by commas."""
    pairs = (entry.strip().partition(":") for line in lines for entry in line.split(","))
    return {name: password for name, colon, password in pairs if colon}


def allowed(authorization: str | None, known: Accounts) -> bool:
    """Whether the header ``Authorization`` names one of the accounts. The time it takes tells nothing about a password."""
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    name, colon, password = text.partition(":")
    expected = known.get(name)
    same = secrets.compare_digest(password.encode(), (expected or "").encode())
    return bool(colon) and same and expected is not None


def guarded(known: Accounts) -> type[APIRoute]:
    """The kind of route that lets only these accounts in; everybody where there are none."""

    class GuardedRoute(APIRoute):
        """A route that looks at who asks and how much comes before anything is read."""

        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
            handler = super().get_route_handler()

            async def guard(request: Request) -> Response:
                if known and not allowed(request.headers.get("authorization"), known):
                    raise HTTPException(
                        401,
                        "Wrong or missing name and password; expected those of --api-auth (or, without it, of --gradio-auth).",
                        {"WWW-Authenticate": "Basic"},
                    )
                most = limits().most_bytes
                announced = request.headers.get("content-length", "")
                if announced.isdigit() and int(announced) > most:
                    raise too_large(most)
                return await handler(Request(request.scope, _counting(request.receive, most)))

            return guard

    return GuardedRoute


def too_large(most: int) -> HTTPException:
    """The answer to a request that brings too much."""
    return HTTPException(
        413,
        f"The request is larger than {most / 1e6:g} megabytes. Send fewer pictures at a time, send paths, or raise the limit in the "
        "settings of ImageReward Curator.",
    )


def _counting(receive: Receive, most: int) -> Receive:
    """``receive`` that gives up once more than ``most`` bytes have come, for requests that do not announce their length."""
    seen = 0

    async def count() -> Any:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large(most)
        return message

    return count
