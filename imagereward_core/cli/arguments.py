"""Options made from settings, and the numbers that options take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from ..settings import settings_of


def number_type(
    low: float = -math.inf, high: float = math.inf, *, whole: bool = False, unit: str = ""
) -> Callable[[str], Any]:
    """A parser of numbers from ``low`` to ``high``.

    >>> number_type(0, 100, unit="percent")("20%")
    20.0
    """

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text.rstrip("%") if unit == "percent" else text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no {'whole ' if whole else ''}number") from None
        if not whole and not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"{text} is not an ordinary number")
        if not low <= value <= high:
            span = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
            raise argparse.ArgumentTypeError(f"{text} is not {span}")
        return value

    return read


def add_setting(
    group: argparse._ActionsContainer,
    owner: type,
    name: str,
    *options: str,
    more: str = "",
    **changes: Any,
) -> None:
    """Adds the option of a setting, with the default, the range and the help that stand on its field.

    ``more`` is what only the command has to say, behind the help; ``changes`` are arguments of ``add_argument`` in the place of those from
    the field.
    """
    known = settings_of(owner)[name]
    made: dict[str, Any] = {"default": known.default}
    if known.kind == "bool":
        made["action"] = "store_true"
    elif known.choices:
        made["choices"] = known.choices
    elif known.kind in ("int", "float"):
        whole = known.kind == "int"
        made["type"] = number_type(known.low, known.high, whole=whole, unit=known.unit)
        made["metavar"] = "P" if known.unit == "percent" else "N" if whole else "X"
    made |= changes
    unset = known.unset is not None and known.default == known.unset
    usual = known.unset_means if unset else made["default"]
    words = "; ".join(filter(None, (known.help[0].lower() + known.help[1:], more)))
    group.add_argument(*options, help=f"{words} (default: {usual})" if usual else words, **made)
