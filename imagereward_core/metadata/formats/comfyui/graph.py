"""A ComfyUI graph as nodes and links, made from the API format (the ``prompt`` chunk)."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_NODES = 200_000

_NODE_ID = re.compile(r"\d+(:\d+)*\Z")


class Link(NamedTuple):
    """The other end of a connected input: a node's id and the number of its output."""

    node: str
    slot: int


Value = Link | str | int | float | None | list[Any] | dict[str, Any]


@dataclass(frozen=True)
class Node:
    """One node: its class and what its inputs are connected to or set to."""

    kind: str
    inputs: dict[str, Value] = field(default_factory=dict)

    def links(self) -> list[tuple[str, Link]]:
        """The connected inputs, in the order of the node."""
        return [(name, value) for name, value in self.inputs.items() if isinstance(value, Link)]


Graph = dict[str, Node]


def nodes_behind(
    graph: Graph, start: str, follows: Callable[[str], bool], most: int
) -> Iterator[Node | None]:
    """The node ``start`` and those behind its inputs, the nearest first, by inputs whose name in lower case is followed.

    None stands for a node that is missing from the graph, and at the end for what lies beyond ``most`` nodes.
    """
    seen, waiting = {start}, deque([start])
    while waiting and len(seen) < most:
        node = graph.get(waiting.popleft())
        yield node
        for key, link in node.links() if node else ():
            if follows(key.lower()) and link.node not in seen:
                seen.add(link.node)
                waiting.append(link.node)
    if waiting:
        yield None


def load_json(text: str) -> Any:
    """Parse JSON as ComfyUI writes it (``NaN`` allowed); None for what is no JSON or nested beyond reason."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_api_graph(data: object) -> Graph:
    """Build a graph from the API format: ``{id: {"class_type": ..., "inputs": {...}}}``.

    Entries that are no nodes are left out, so that a damaged graph gives what is left of it. Ids of nodes
    inside subgraphs (``"12:3"``) are ordinary ids. A saved request body (``{"prompt": {...}}``) is unwrapped.
    """
    if not isinstance(data, Mapping):
        return {}
    for wrapper in ("prompt", "output"):
        inner = data.get(wrapper)
        if isinstance(inner, Mapping) and "class_type" not in inner:
            data = inner
            break
    nodes = {
        str(name): entry
        for name, entry in data.items()
        if isinstance(entry, Mapping) and isinstance(entry.get("class_type"), str)
    }
    graph: Graph = {}
    for name, entry in nodes.items():
        inputs = entry.get("inputs")
        found: dict[str, Value] = {}
        if isinstance(inputs, Mapping):
            found = {str(key): _api_value(value, nodes) for key, value in inputs.items()}
        graph[name] = Node(entry["class_type"], found)
    return graph


def _api_value(value: Any, nodes: Mapping[str, Any]) -> Value:
    """Whether a value is a link and not a widget's value: both may be a list of two."""
    if isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
        return value if isinstance(value, (str, int, float, list)) else None
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], (str, int))
        and isinstance(value[1], int)
    ):
        target = str(value[0])
        # A link to a node that is not there is still a link and not the text "7, 0".
        if target in nodes or _NODE_ID.match(target):
            return Link(target, int(value[1]))
    return value if isinstance(value, (str, int, float, list, dict)) else None
