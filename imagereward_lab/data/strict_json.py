"""JSON from strangers: no NaN, no endless numbers, no nesting without end; every fault is a ``ValueError`` with a text for people."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_MOST_DIGITS = 100


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"found {name}; expected a finite number")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"found a number of {len(digits):,} digits; expected at most {_MOST_DIGITS}")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits[:40])


DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_whole, parse_float=_decimal)


def loads(text: str) -> Any:
    """The value that a text is.

    >>> loads('{"a": 1}')
    {'a': 1}

    Raises:
        ValueError: It is not JSON; the text says where.
    """
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"found no JSON ({error.msg} at character {error.pos + 1})") from error
    except RecursionError:
        raise ValueError("found JSON that is nested too deep") from None


def item_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at ``start``, and where it ends.

    Raises:
        json.JSONDecodeError: It is not whole, or no JSON.
        ValueError: It holds a number that is none, or is nested too deep.
    """
    try:
        return DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("found JSON that is nested too deep") from None
