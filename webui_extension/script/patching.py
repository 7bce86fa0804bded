"""Functions of the host with ours around them, told from those of others, and its objects with other fields for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_MARK = "_imagereward_around"


def mark(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Notes what our ``function`` stands around."""
    # With the function itself: ``functools.wraps`` copies attributes, and a copy must not pass for ours.
    setattr(function, _MARK, (function, original))
    return function


def original_of(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The function that ours wraps; None where ``function`` is not ours, though ours may be below it."""
    found = getattr(function, _MARK, None)
    return found[1] if found is not None and found[0] is function else None


@contextmanager
def as_if(p: Any, fields: Mapping[str, Any]) -> Iterator[None]:
    """While it lasts, ``p`` has these fields in the place of its own."""
    own = {name: getattr(p, name) for name in fields if hasattr(p, name)}
    try:
        for name, value in fields.items():
            setattr(p, name, value)
        yield
    finally:
        for name, value in own.items():
            setattr(p, name, value)
