"""Texts made while a ComfyUI graph ran, where a node that shows them has stored them.

Such nodes write what they show into the editor's file that goes into the picture. In the graph as it ran
they hold what they showed before, since that was stored when the run began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from . import nodes as known
from .graph import Graph, Link, Node, nodes_behind
from .strings import is_switch

_MOST_NODES = 200
_SHOWN_BEFORE = ("text", "output", "preview_text", "preview_markdown")


class Answer(NamedTuple):
    """What a node shows: its texts, whether they are those of this run, and the node's id."""

    texts: list[str]
    fresh: bool
    node: str


def with_shown_texts(graph: Graph, workflow: object) -> Graph:
    """The graph as it ran, with what the editor's file says its nodes have shown."""
    if not isinstance(workflow, Mapping) or not isinstance(workflow.get("nodes"), list):
        return graph
    shown: Graph = {}
    for entry in workflow["nodes"]:
        if not isinstance(entry, Mapping):
            continue
        node = graph.get(name := str(entry.get("id")))
        if node is not None and known.SHOWS.search(node.kind) and entry.get("type") == node.kind:
            texts = shown_values(entry.get("widgets_values"))
            shown[name] = replace(node, inputs={**node.inputs, known.SHOWN_TEXT: texts})
    return {**graph, **shown}


def shown_values(values: Any) -> list[Any]:
    """The texts among the values of a node that shows; none where it has settings too, which cannot be told from them."""
    found: list[Any] = []
    for value in values if isinstance(values, list) else [values]:
        found += value if isinstance(value, list) else [value]
    return [value for value in found if value] if all(isinstance(value, str) for value in found) else []


def answer_of(name: str, node: Node) -> Answer | None:
    """The texts that a node that shows has stored; None for nothing."""
    fresh = [text for text in _texts(node.inputs.get(known.SHOWN_TEXT)) if text.strip()]
    if fresh:
        return Answer(fresh, True, name)
    before = [
        text
        for key, value in node.inputs.items()
        if key in _SHOWN_BEFORE or (known.TEXT_FAMILY.match(key) and key != known.SHOWN_TEXT)
        for text in _texts(value)
        if text.strip()
    ]
    return Answer(before, False, name) if before else None


def answers_in(graph: Graph) -> dict[Link, Answer]:
    """What is shown of each output, in the words of the first node that shows it."""
    found: dict[Link, Answer] = {}
    for name, node in graph.items():
        if not known.SHOWS.search(node.kind):
            continue
        answer, source = answer_of(name, node), shown_source(node)
        if answer is not None and source is not None and (source not in found or answer.fresh):
            found[source] = answer
    return found


def shown_source(node: Node) -> Link | None:
    """What a node that shows is connected to."""
    return next((link for _, link in node.links()), None)


def makes_up(node: Node) -> bool:
    """Whether what a node gives is not in its inputs: it answers, describes, translates, chooses at random."""
    if known.ENCODER.search(node.kind) or "populated_text" in node.inputs:
        return False
    return any(
        pattern.search(node.kind)
        for pattern in (known.REWRITER, known.DETECTOR, known.RANDOM, known.STYLER, known.RESHAPER)
    )


def looks_at_picture(node: Node) -> bool:
    """Whether a node is given a picture."""
    return any(known.IMAGE_INPUT.match(key.lower()) or key == "video" for key, _ in node.links())


def certainty(graph: Graph, start: Link) -> str:
    """What stands behind an output: ``made up`` text, an ``unknown`` node, or texts that are ``followed`` to the letter."""
    unknown = False
    for node in nodes_behind(graph, start.node, lambda key: key not in known.NO_WORDS, _MOST_NODES):
        if node is None:
            return "unknown"
        if makes_up(node):
            return "made up"
        unknown = unknown or not (node.kind in _FOLLOWED or is_switch(node))
    return "unknown" if unknown else "followed"


_FOLLOWED = frozenset({known.REROUTE, *known.WIDGETS, *known.TEXT_FIELDS, *known.TEXT_BY_SLOT, *known.LINES})


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
