"""Who may use the server: everybody on this computer, or people with a token, which a link or a page of entry turns into a cookie."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIE = "imagereward"
"""The cookie's name begins so; the port follows, since a browser shares cookies among all ports of a computer."""
LONGEST = 200
"""Characters of a token at most."""


@dataclass(frozen=True)
class Access:
    """Who may come in.

    Attributes:
        who: The person of a token, whatever a part takes for one; None for a token that nobody has. Asked in a thread at every request
            that brings one, so that a token that is withdrawn ends at once.
        required: Whether nothing is served to anybody without a token.
    """

    who: Callable[[str], Any]
    required: bool

    @classmethod
    def open(cls) -> Access:
        """Anybody who reaches the server, without a token. For addresses of this computer alone."""
        return cls(lambda _: None, False)

    @classmethod
    def by_token(cls, token: str) -> Access:
        """One token for everybody."""
        held = token.encode()
        return cls(lambda given: True if secrets.compare_digest(given.encode(), held) else None, True)


def new_token() -> str:
    """A token that nobody can guess: 192 bits as 48 digits and letters, so that no program drops the end of an address."""
    return secrets.token_hex(24)


def given_token(headers: Mapping[str, str]) -> str:
    """The token of a request: behind ``Authorization: Bearer``, else in the cookie; empty for none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()[: LONGEST + 1]
    try:
        held = SimpleCookie(headers.get("cookie", "")).get(cookie_name(headers.get("host", "")))
    except CookieError:
        return ""
    return "" if held is None else held.value[: LONGEST + 1]


def cookie_name(host: str) -> str:
    """The name of the cookie for the server that a browser knows as ``host`` (``name:port``)."""
    port = host.rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isdecimal() else COOKIE


def person(request: Request) -> Any:
    """Who asks: what ``who`` of :class:`Access` said; None without a token."""
    return request.scope.get("imagereward.person")
