"""Wraps functions of the host, and tells our wrappers from those of others."""

from __future__ import annotations

from collections.abc import Callable
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
