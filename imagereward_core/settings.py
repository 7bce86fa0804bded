"""Settings, each in one place: default, range, help and what stands for none of it are said on the field of a dataclass.

    top_k: int | None = setting(None, "Keep at most this many of the best", low=0, shown=(0, 4096), unset=0)

Doors make their options, inputs, fields and widgets from it, and add only what is theirs to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import MISSING, field, fields, replace
from functools import cache
from typing import Any

from .records import record

_KEY = "setting"


@record(frozen=True, kw_only=True)
class Setting:
    """What is known about a setting.

    Attributes:
        help: What it does: sentences, without a full stop at the end.
        label: What stands beside a widget, where the field's door does not say it otherwise.
        low: The least number that means something.
        high: The largest.
        shown: The range of a widget that needs two ends where numbers have none; by default ``low`` and ``high``.
        unit: ``"percent"`` for what may be typed with its sign.
        unset: What a widget that always has a value shows where the setting has none.
        unset_means: What happens then.
        choices: All it may be.
        kind: Type of a value that is not None: ``int``, ``float``, ``bool``, ``str`` or another.
    """

    help: str
    low: float = -math.inf
    high: float = math.inf
    shown: tuple[float, float] | None = None
    step: float = 1
    unit: str = ""
    unset: Any = None
    unset_means: str = "no such condition"
    choices: tuple[str, ...] = ()
    label: str = ""
    name: str = ""
    kind: str = ""
    default: Any = None

    @property
    def ends(self) -> tuple[float, float]:
        """The range of a widget."""
        return self.shown or (self.low, self.high)

    @property
    def value(self) -> Any:
        """The default as a widget shows it."""
        return self.unset if self.default is None else self.default

    def given(self, value: Any) -> Any:
        """The setting that a widget with ``value`` means: None where that stands for none."""
        if self.kind in ("int", "float"):
            value = int(value) if self.kind == "int" else float(value)
        return None if self.default is None and self.unset is not None and value == self.unset else value

    def sentence(self, more: str = "") -> str:
        """Its help for a widget, as whole sentences, with ``more`` that only this door has to say."""
        unset = f"{self.unset:g}: {self.unset_means}" if self.unset is not None else ""
        return " ".join(f"{part}." for part in (self.help, unset, more.rstrip(".")) if part)

    def check(self, value: Any) -> None:
        """Raises ValueError unless ``value`` is in the range, or one of the choices, or None where that is the default."""
        if value is None and self.default is None:
            return
        if self.choices and value not in self.choices:
            words = [repr(choice) if choice else "nothing" for choice in self.choices]
            raise ValueError(f"{self.name} is {value!r}; expected {', '.join(words[:-1])} or {words[-1]}")
        if self.kind in ("int", "float") and not self.low <= value <= self.high:
            raise ValueError(f"{self.name} is {value}; expected a number from {self.low:g} to {self.high:g}")


def setting(
    default: Any, help: str, *, compare: bool = True, choices: Sequence[str] = (), **known: Any
) -> Any:
    """A field of a dataclass with its :class:`Setting`."""
    about = Setting(help=help, choices=tuple(choices), **known)
    return field(default=default, compare=compare, metadata={_KEY: about})


@cache
def settings_of(owner: type) -> dict[str, Setting]:
    """The settings of a dataclass by name.

    >>> from .selection import Rule
    >>> settings_of(Rule)["top_percent"].unset
    100
    """
    return {
        each.name: replace(
            each.metadata[_KEY],
            name=each.name,
            kind=str(each.type).partition(" |")[0],
            default=None if each.default is MISSING else each.default,
        )
        for each in fields(owner)
        if _KEY in each.metadata
    }


def check(values: Any) -> None:
    """Raises ValueError unless all settings of a dataclass are in their ranges."""
    owner: Any = type(values)
    for name, known in settings_of(owner).items():
        known.check(getattr(values, name))
