"""ComfyUI nodes that take lines, parts or another spelling of the text they are given."""

from __future__ import annotations

import sys

from . import nodes as known
from .graph import Graph, Link, Node, Value

_LONGEST_WAY = 16
_NUMBERS = ("value", "int", "Number", "number", "seed")


def number_of(graph: Graph, value: Value) -> float | None:
    """The number an input is set to, also by a node that holds nothing else; None where it cannot be told."""
    for _ in range(_LONGEST_WAY):
        if isinstance(value, (int, float)):
            return value if abs(value) <= sys.float_info.max else None
        if isinstance(value, str):
            try:
                return float(int(value)) if len(value) < _LONGEST_WAY else None
            except ValueError:
                return None
        if not isinstance(value, Link) or value.node not in graph:
            return None
        inputs = graph[value.node].inputs
        value = next((inputs[key] for key in _NUMBERS if key in inputs), None)
    return None


def picked_lines(graph: Graph, node: Node, text: str, slot: int) -> list[str] | None:
    """The lines of ``text`` that a node of ``known.LINES`` hands on by output ``slot``; None where its numbers cannot be told."""
    form = known.LINES[node.kind]
    if form.only and not node.inputs.get(form.only):
        return [text]
    blocks = bool(form.blocks) and bool(node.inputs.get(form.blocks))
    lines = _blocks(text) if blocks else text.split("\n")
    if form.without_blank and node.inputs.get(form.without_blank):
        lines = [line for line in lines if line.strip()]
    if form.start and lines:
        start = number_of(graph, node.inputs.get(form.start))
        most = number_of(graph, node.inputs.get(form.most)) if form.most else 1
        if start is None or most is None:
            return None
        first = int(start) % len(lines) if form.wraps else max(0, min(int(start), len(lines) - 1))
        lines = lines[first : first + max(1, int(most))]
    if blocks:
        lines = [line.removeprefix("#") for line in lines]
    before, after = (node.inputs.get(name) for name in form.around or ("", ""))
    if slot == 0 and (before or after):
        if not (isinstance(before, str) and isinstance(after, str)):
            return None
        lines = [before + line + after for line in lines]
    return lines


def reshaped(graph: Graph, node: Node, text: str) -> str | None:
    """The text as ComfyUI's own nodes for parts and letter case change it; None where that is not known."""
    mode = node.inputs.get("mode")
    if node.kind == "StringSubstring":
        start, end = (number_of(graph, node.inputs.get(name)) for name in ("start", "end"))
        return None if start is None or end is None else text[int(start) : int(end)]
    if node.kind == "StringTrim":
        return {"Both": text.strip, "Left": text.lstrip, "Right": text.rstrip}.get(str(mode), lambda: text)()
    if node.kind == "CaseConverter":
        change = {
            "UPPERCASE": text.upper,
            "lowercase": text.lower,
            "Capitalize": text.capitalize,
            "Title Case": text.title,
        }
        return change.get(str(mode), lambda: text)()
    return text


def seems_to_pick(node: Node, text: str) -> bool:
    """Whether a node nobody has listed takes some lines of its text, by the names of its inputs."""
    return "\n" in text.strip() and any(
        known.LINE_INPUT.match(key.lower()) and isinstance(value, (int, Link))
        for key, value in node.inputs.items()
    )


def _blocks(text: str) -> list[str]:
    blocks: list[str] = []
    for line in text.split("\n"):
        if line.startswith("#") or not blocks:
            blocks.append("")
        blocks[-1] += line + "\n"
    return [block.strip() for block in blocks]
