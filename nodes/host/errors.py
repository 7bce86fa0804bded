"""Errors for the host's dialog, where a graph is wired in a way that cannot work."""

from __future__ import annotations

from ...imagereward_core.errors import CuratorError

SHOWN_NAME = "ImageReward Curator"


class GraphError(CuratorError):
    """Inputs of a node do not fit together, or a setting means nothing."""


def name_plainly() -> None:
    """Lets errors be shown under this pack's name: a host puts the module before the class, and that of a pack is its path on the disk."""

    def named(cls: type[CuratorError], **_: object) -> None:
        cls.__module__ = SHOWN_NAME

    CuratorError.__init_subclass__ = classmethod(named)  # type: ignore[assignment, arg-type]
    waiting: list[type[CuratorError]] = [CuratorError]
    while waiting:
        each = waiting.pop()
        each.__module__ = SHOWN_NAME
        waiting += each.__subclasses__()


def choice(name: str, value: str, options: tuple[str, ...]) -> str:
    """``value``, or a GraphError if it is none of ``options``; older hosts do not check drop-down lists themselves."""
    if value not in options:
        raise GraphError(
            f"{name} is {value!r}; expected one of: {', '.join(options)}. Choose one in the node."
        )
    return value
