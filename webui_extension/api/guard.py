"""Who may use the routes, and how much a request may bring: both are looked at before a request's body is read.

A WebUI guards its own API with ``--api-auth``, but no route of an extension; so its check is made here again. Where the API has no
accounts and the pages have (``--gradio-auth``), those accounts are asked for: the routes read files, and who may not see the pages
shall not see those either. Only a name and a password sent with the request count, never the cookie of a page that is logged in,
so that no other web page can act in a person's name.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from imagereward_core.plain import encodable, well_formed, with_texts

from .limits import limits
from .schemas import MOST_DIGITS, NUMBERS

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
    # What came from the command line may hold bytes that are no UTF-8.
    same = secrets.compare_digest(password.encode(), (expected or "").encode("utf-8", "surrogateescape"))
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
                if request.method == "POST":
                    _check_sender(request)
                most = limits().most_bytes
                announced = request.headers.get("content-length", "")
                if announced.isdigit() and int(announced) > most:
                    raise too_large(most)
                try:
                    return await handler(_StrictRequest(request.scope, _counting(request.receive, most)))
                except HTTPException as error:
                    error.detail = encodable(error.detail)  # it may name an undecodable file
                    raise

            return guard

    return GuardedRoute


class _StrictRequest(Request):
    """A request whose JSON holds no number that JSON does not know or that no field can hold, and no halves of characters."""

    async def json(self) -> Any:
        """The body.

        Raises:
            HTTPException: 422, for NaN, infinities, numbers beyond floats, whole numbers of more than 18 digits, true and false for a
                number, and nesting too deep.
            json.JSONDecodeError: It is no JSON.
        """
        body = await self.body()
        try:
            data = json.loads(body, parse_constant=_refused, parse_float=_finite, parse_int=_whole)
            _check_numbers(data)
            return with_texts(data, well_formed)
        except (RecursionError, UnicodeDecodeError) as error:
            raise HTTPException(
                422, f"The body cannot be read ({type(error).__name__}); expected a JSON object."
            ) from error


def _check_numbers(data: Any) -> None:
    for name in sorted(NUMBERS & data.keys()) if isinstance(data, dict) else ():
        if isinstance(data[name], bool):
            raise HTTPException(422, f"{name} is {str(data[name]).lower()}; expected a number.")


def _refused(text: str, expected: str = "finite numbers") -> Any:
    raise HTTPException(422, f"The body holds the number {text[:40]}; expected {expected}.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refused(text)


def _whole(text: str) -> int:
    if len(text.lstrip("-")) <= MOST_DIGITS:
        return int(text)
    return _refused(text, f"whole numbers of at most {MOST_DIGITS} digits")


def _check_sender(request: Request) -> None:
    """Refuses what another web page can make a browser send unasked: a form or plain text, or anything with that page's origin.

    A program that sends no ``Origin`` is no page of a browser. A page of the WebUI itself has the address the request went to.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HTTPException(
            415,
            f"The request's content type is {kind or 'missing'}; expected application/json, with a JSON body "
            f"({{}} where there is nothing to say).",
        )
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if origin is not None and _netloc(origin) != host.lower():
        raise HTTPException(
            403, "The request comes from a page of another address; expected none, or one of this WebUI."
        )


def _netloc(origin: str) -> str:
    """The host and port of an origin; empty for one that names none, such as ``null``."""
    return origin.partition("://")[2].partition("/")[0].lower()


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
