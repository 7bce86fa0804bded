"""The editor's own file format (the ``workflow`` chunk) as the same graph as the API format.

The two differ in what the editor resolves before it queues a graph: values of widgets are lists without
names, and reroutes, primitives, get/set pairs, bypassed nodes and subgraphs are still there. Each is turned
into links here, mostly through invisible reroute nodes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import nodes as known
from .answers import shown_values
from .graph import MAX_NODES, Graph, Link, Node, Value

_MUTED, _BYPASSED = 2, 4
_SUBGRAPH_INPUT, _SUBGRAPH_OUTPUT = "-10", "-20"
_FEWEST_WORDS = 3
_AFTER_SEED = ("fixed", "increment", "decrement", "randomize")


@dataclass
class _Scope:
    """The nodes and links of the workflow itself or of one use of a subgraph; ``prefix`` makes ids unique."""

    prefix: str
    nodes: dict[str, Mapping[str, Any]]
    links: dict[str, tuple[str, int, str, int]]
    kept_inputs: set[int] = field(default_factory=set)


def read_workflow(data: object) -> Graph:
    """Build a graph from the editor's format, subgraphs unfolded; empty if ``data`` is not of that format."""
    if not isinstance(data, Mapping) or not isinstance(data.get("nodes"), list):
        return {}
    definitions = data.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    subgraphs = {
        str(item.get("id")): item
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, Mapping) and isinstance(item.get("nodes"), list)
    }
    graph: Graph = {}
    setters: dict[str, str] = {}
    getters: list[tuple[str, str]] = []
    waiting = deque([_scope("", data)])
    # Subgraphs that hold each other many times over would unfold without end.
    budget = MAX_NODES
    while waiting:
        scope = waiting.popleft()
        for name, entry in scope.nodes.items():
            kind, mode = str(entry.get("type", "")), entry.get("mode")
            full = scope.prefix + name
            if mode == _MUTED:
                continue
            if mode == _BYPASSED:
                _add_bypass(graph, scope, name, entry, subgraphs)
            elif kind in subgraphs:
                budget -= _size(subgraphs[kind])
                if budget > 0:
                    waiting.append(_enter(graph, scope, name, entry, subgraphs))
            else:
                inputs = _inputs(scope, entry, subgraphs)
                if kind in ("SetNode", "GetNode"):
                    label = str((_values(entry) or [""])[0])
                    if kind == "SetNode":
                        setters.setdefault(label, full)
                    else:
                        getters.append((full, label))
                graph[full] = Node(kind, inputs)
    for name, label in getters:
        if label in setters:
            graph[name] = Node(known.REROUTE, {"value": Link(setters[label], 0)})
    return graph


def _scope(prefix: str, definition: Mapping[str, Any]) -> _Scope:
    entries = [entry for entry in definition["nodes"] if isinstance(entry, Mapping)]
    listed = definition.get("links")
    links: dict[str, tuple[str, int, str, int]] = {}
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, Mapping):
            item = [item.get(key) for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
        if (
            isinstance(item, list)
            and len(item) >= 5
            and isinstance(item[2], int)
            and isinstance(item[4], int)
        ):
            links[str(item[0])] = (str(item[1]), item[2], str(item[3]), item[4])
    return _Scope(prefix, {str(entry.get("id")): entry for entry in entries}, links)


def _size(definition: Mapping[str, Any]) -> int:
    links = definition.get("links")
    return 1 + len(definition["nodes"]) + (len(links) if isinstance(links, list) else 0)


def _enter(
    graph: Graph, scope: _Scope, name: str, entry: Mapping[str, Any], subgraphs: Mapping[str, Any]
) -> _Scope:
    """Open one use of a subgraph: reroutes stand for its inputs and outputs."""
    definition = subgraphs[str(entry["type"])]
    inner = _scope(f"{scope.prefix}{name}:", definition)
    given = _inputs(scope, entry, subgraphs)
    for number, port in enumerate(_mappings(definition.get("inputs"))):
        value = given.get(str(port.get("name")))
        if value is not None:
            inner.kept_inputs.add(number)
            graph[f"{inner.prefix}in{number}"] = Node(known.REROUTE, {"value": value})
    for origin, slot, target, number in inner.links.values():
        if target == _SUBGRAPH_OUTPUT:
            source = _origin(inner, origin, slot, subgraphs)
            graph[f"{inner.prefix}out{number}"] = Node(known.REROUTE, {"value": source})
    return inner


def _origin(scope: _Scope, origin: str, slot: int, subgraphs: Mapping[str, Any]) -> Link | None:
    """Where a link comes from once bypassed nodes and subgraphs are reroutes; None if from nowhere."""
    if origin == _SUBGRAPH_INPUT:
        return Link(f"{scope.prefix}in{slot}", 0) if slot in scope.kept_inputs else None
    entry = scope.nodes.get(origin, {})
    if entry.get("mode") == _BYPASSED:
        return Link(f"{scope.prefix}{origin}~{slot}", 0)
    if str(entry.get("type", "")) in subgraphs:
        return Link(f"{scope.prefix}{origin}:out{slot}", 0)
    return Link(scope.prefix + origin, slot)


def _add_bypass(
    graph: Graph, scope: _Scope, name: str, entry: Mapping[str, Any], subgraphs: Mapping[str, Any]
) -> None:
    """A bypassed node hands each output the input of the same number, or else the first, of its type."""
    ports = _mappings(entry.get("inputs"))
    for slot, output in enumerate(_mappings(entry.get("outputs"))):
        for port in (*ports[slot : slot + 1], *ports):
            link = scope.links.get(str(port.get("link")))
            if link is not None and port.get("type") == output.get("type"):
                source = _origin(scope, link[0], link[1], subgraphs)
                graph[f"{scope.prefix}{name}~{slot}"] = Node(known.REROUTE, {"value": source})
                break


def _inputs(scope: _Scope, entry: Mapping[str, Any], subgraphs: Mapping[str, Any]) -> dict[str, Value]:
    found = _widgets(entry)
    for port in _mappings(entry.get("inputs")):
        link = scope.links.get(str(port.get("link")))
        if link is not None and (source := _origin(scope, link[0], link[1], subgraphs)) is not None:
            found[str(port.get("name"))] = source
    return found


def _widgets(entry: Mapping[str, Any]) -> dict[str, Value]:
    """Names for the values of a node's widgets, which the editor stores as a bare list."""
    values = entry.get("widgets_values")
    if isinstance(values, Mapping):
        return {str(key): value for key, value in values.items()}
    values, kind = _values(entry), str(entry.get("type"))
    if known.SHOWS.search(kind):
        return {known.SHOWN_TEXT: shown_values(values)}
    ports = [port for port in _mappings(entry.get("inputs")) if isinstance(port.get("widget"), Mapping)]
    names = [str(port["widget"].get("name")) for port in ports]
    # Older editors list only widgets that were turned into inputs: then the list of ports says nothing about
    # the order.
    if len(names) not in (len(values), len(_without_controls(values))):
        names = list(known.WIDGETS.get(kind, ()))
    if len(names) < len(values):
        values = _without_controls(values)
    if names:
        return dict(zip(names, values))
    types = [port.get("type") for port in _mappings(entry.get("outputs"))]
    gives_text = bool(known.TEXT_NODE.search(kind)) or any(item in known.TEXT_TYPES for item in types)
    # Where words come in by a link, what is left among the values are choices.
    takes_text = any(
        port.get("link") is not None
        and (port.get("type") == "CONDITIONING" or port.get("name") in known.TEXT_INPUTS)
        for port in _mappings(entry.get("inputs"))
    )
    texts = [value for value in values if isinstance(value, str) and _reads_like_words(value)]
    return {known.GUESSED_TEXT: texts[0]} if len(texts) == 1 and gives_text and not takes_text else {}


def _reads_like_words(value: str) -> bool:
    """Whether a value nobody names is words for a picture: no choice, label or file name, which are shorter."""
    path = value.strip().lower().endswith(known.FILE_ENDINGS) or "\\" in value
    return not path and ("," in value.strip(" ,") or len(value.split()) >= _FEWEST_WORDS)


def _without_controls(values: list[Any]) -> list[Any]:
    """Drop the "after generation" choice that stands behind every seed (in old files, true or false)."""
    return [
        value
        for index, value in enumerate(values)
        if not (
            index
            and (value in _AFTER_SEED or (isinstance(value, bool) and index == 1))
            and isinstance(values[index - 1], (int, float))
        )
    ]


def _values(entry: Mapping[str, Any]) -> list[Any]:
    values = entry.get("widgets_values")
    return values if isinstance(values, list) else []


def _mappings(items: object) -> list[Mapping[str, Any]]:
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
