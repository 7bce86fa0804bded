"""What a person sees in the host's error dialog when a graph is wired in a way that cannot work."""

from __future__ import annotations

from ..imagereward_core.errors import CuratorError


class GraphError(CuratorError):
    """Inputs of a node do not fit together, or a setting means nothing."""


def choice(name: str, value: str, options: tuple[str, ...]) -> str:
    """``value``, if it is one of ``options``; older hosts do not check drop-down lists themselves.

    Raises:
        GraphError: It is not.
    """
    if value not in options:
        raise GraphError(
            f"{name} is {value!r}; expected one of: {', '.join(options)}. Choose one in the node."
        )
    return value
