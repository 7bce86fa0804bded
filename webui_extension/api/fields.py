"""Fields of requests made from settings, for pydantic 1.10 and 2."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from imagereward_core.settings import settings_of

MOST_DIGITS = 18
"""Whole numbers of a request have at most so many digits."""
_MOST = 10**MOST_DIGITS - 1
# One version of pydantic makes a whole number of 1e30, and both of a text of thirty digits.


def setting_field(owner: type, name: str, more: str = "", **changes: Any) -> Any:
    """The field of a setting, with the default, the range and the help that stand on the dataclass, and ``more`` behind the help."""
    known = settings_of(owner)[name]
    made = {"default": known.default, "description": "; ".join(filter(None, (known.help, more)))}
    if known.low > -math.inf:
        made["ge"] = known.low
    if known.high < math.inf or (known.kind == "int" and "ge" in made):
        made["le"] = min(known.high, _MOST)
    return Field(**made | changes)
