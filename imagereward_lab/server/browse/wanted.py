"""What a page asks for, read out of its JSON and checked: which pictures, in which order, kept by which rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from imagereward_core.errors import CuratorError
from imagereward_core.gallery.filter import Filter, Show, Sort
from imagereward_core.library.curate.buckets import REJECTED
from imagereward_core.library.curate.options import KEPT, Action, CurateOptions, Per, XmpStyle
from imagereward_core.library.scan.options import ScanOptions

_CHOICES: dict[str, tuple[str, ...]] = {"show": get_args(Show), "sort": get_args(Sort), "per": get_args(Per)}
_LONGEST = 2000


class RequestError(CuratorError):
    """A page asked for something that does not exist."""


def filter_of(told: Any) -> Filter:
    """The filter in the form of a JSON object with fields of :class:`Filter`; those left out are as by default.

    Raises:
        RequestError: There is no such field, or it holds something else.
    """
    known = {field.name: field.default for field in fields(Filter)}
    given = told if isinstance(told, Mapping) else {}
    if unknown := sorted(set(given) - set(known)):
        raise RequestError(f"there is no filter {unknown[0][:40]!r}; load the page again")
    try:
        found = Filter(**{name: _value(name, value, known[name]) for name, value in given.items()})
        found.rule()  # whose numbers have limits
        return found
    except ValueError as error:
        raise RequestError(str(error)) from error


def _value(name: str, value: Any, default: Any) -> Any:
    if name in _CHOICES:
        return one_of(name, value, _CHOICES[name])
    if isinstance(default, bool):
        return flag(name, value)
    if isinstance(default, str):
        return text(name, value)
    if value is None and default is None:
        return None
    whole = isinstance(default, int)
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise RequestError(f"{name} is {str(value)[:40]!r}; expected a {'whole ' if whole else ''}number")
    return value


def text(name: str, value: Any) -> str:
    """A text of a page; RequestError for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise RequestError(f"{name} is {str(value)[:40]!r}; expected a text of at most {_LONGEST} characters")
    return value


def flag(name: str, value: Any) -> bool:
    """Yes or no; RequestError for anything else."""
    if not isinstance(value, bool):
        raise RequestError(f"{name} is {str(value)[:40]!r}; expected true or false")
    return value


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> Any:
    """One of some words; RequestError for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise RequestError(f"{name} is {str(value)[:40]!r}; expected one of {', '.join(choices)}")
    return value


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number within limits; RequestError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RequestError(f"{name} is {str(value)[:40]!r}; expected a whole number from {least} to {most}")
    return value


_WHICH = {"kept": frozenset({REJECTED}), "rejected": frozenset({KEPT}), "both": frozenset()}
"""For each choice the names whose pictures stay where they are."""


def curate_options(wanted: Filter, told: Mapping[str, Any], scan: ScanOptions) -> CurateOptions:
    """The options of a curation: the filter's rule, ``which`` pictures, ``how`` they move, and what is written.

    Raises:
        RequestError: They are something else.
        CurateError: They do not go together.
    """
    which = one_of("which", told.get("which", "both"), tuple(_WHICH))
    try:
        return CurateOptions(
            rule=wanted.rule(),
            action=one_of("how", told.get("how", "copy"), get_args(Action)),
            leave=_WHICH[which],
            resort=flag("resort", told.get("resort", False)),
            write_scores=flag("write_scores", told.get("write_scores", False)),
            xmp=one_of("xmp", told.get("xmp", ""), get_args(XmpStyle)),
            scan=scan,
        )
    except ValueError as error:
        raise RequestError(str(error)) from error
