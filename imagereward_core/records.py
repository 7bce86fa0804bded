"""Frozen dataclasses that cost next to nothing to make: for the classes that a host needs while it starts.

``dataclasses`` writes six functions of every frozen class as text and compiles them, about a millisecond a class up to Python 3.12. What
those functions do is the same for all classes and stands here once. In everything else a record is a dataclass: its fields, defaults,
``replace``, ``asdict``, matching, and what a type checker sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn


def _init(self: Any, *given: Any, **named: Any) -> None:
    kind, known = type(self).__qualname__, fields(self)
    places = [each.name for each in known if each.init and not each.kw_only]
    if len(given) > len(places):
        raise TypeError(f"{kind} takes {len(places)} values by place, and {len(given)} were given")
    for name, value in zip(places, given):
        if name in named:
            raise TypeError(f"{kind} was given {name!r} twice")
        named[name] = value
    values = self.__dict__
    for each in known:
        if each.init and each.name in named:
            values[each.name] = named.pop(each.name)
        elif each.default is not MISSING:
            values[each.name] = each.default
        elif each.default_factory is not MISSING:
            values[each.name] = each.default_factory()
        elif each.init:
            raise TypeError(f"{kind} needs {each.name!r}")
    if named:
        raise TypeError(f"{kind} has no {', '.join(map(repr, named))}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, each.name) for each in fields(self) if each.compare)


def _eq(self: Any, other: Any) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(self: Any, name: str, value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, kw_only: bool = False, eq: bool = True) -> Callable[[type], type]:
        """``dataclasses.dataclass``, as a decorator with arguments; frozen alone, for there is no need of others yet.

        >>> @record(frozen=True)
        ... class Point:
        ...     x: int
        ...     y: int = 0
        >>> Point(1)
        Point(x=1, y=0)
        """
        if not frozen:
            raise TypeError("a record is frozen")
        shared = {"__init__": _init, "__repr__": _repr, "__setattr__": _setattr, "__delattr__": _delattr}
        if eq:
            shared |= {"__eq__": _eq, "__hash__": _hash}

        def make(owner: type) -> type:
            for name, method in shared.items():
                if owner.__dict__.get(name) is None:
                    setattr(owner, name, method)
            return dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(owner)

        return make
