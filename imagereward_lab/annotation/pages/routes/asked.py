"""Who asks, what they sent, and how the service's errors are told."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import Body, Depends, HTTPException, Path, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from imagereward_core.plain import encodable

from ....server.access import person as who_asks
from ....server.guard import refusal
from ...records import AnnotationError, GoneError, NotAllowedError, Person

_LARGEST_ID = 2**31 - 1
"""What every database takes for the number of a row."""
_LONGEST_SECONDS = 24 * 3600.0
LONGEST_REASON = 500

Id = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
"""A number in an address: of a task, a question, an answer or a person."""

Sent = Annotated[dict[str, Any], Body()]
"""The body of a request, an object."""


class TellingRoute(APIRoute):
    """A route whose errors of the service are told as ``{"problem", "code", "values"}``: 403 and 409, 400 for any other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler."""
        answer = super().get_route_handler()

        async def telling(request: Request) -> Response:
            try:
                return await answer(request)
            except AnnotationError as error:
                status = (
                    403
                    if isinstance(error, NotAllowedError)
                    else 409
                    if isinstance(error, GoneError)
                    else 400
                )
                return refusal(
                    status, encodable(str(error)), {"code": error.code, "values": dict(error.values)}
                )

        return telling


def asking(request: Request) -> Person:
    """The person whose token came along.

    Raises:
        HTTPException: There is none.
    """
    person = who_asks(request)
    if not isinstance(person, Person):
        raise HTTPException(401, "a token is needed here; open the link you were given")
    return person


Asking = Annotated[Person, Depends(asking)]


def seconds_of(told: Mapping[str, Any]) -> float | None:
    """The time that an answer took as the page measured it; None where that is no time."""
    value = told.get("seconds")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= _LONGEST_SECONDS else None


def text_of(told: Mapping[str, Any], name: str, longest: int = LONGEST_REASON) -> str:
    """A text that was sent; empty where there is none.

    Raises:
        HTTPException: It is too long, or not one that can be kept.
    """
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or "\0" in value or encodable(value) != value:
        raise HTTPException(400, f"{name}: expected a text of at most {longest} characters")
    return value.strip()
