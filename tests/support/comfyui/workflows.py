"""Editor-format workflows and blueprints: their parts, and the prompt the front end would send for them."""

from __future__ import annotations

import json

from tests.support.comfyui.pack import ROOT, WIDGETS

EXAMPLES = sorted((ROOT / "example_workflows").glob("*.json"))
BLUEPRINTS = sorted((ROOT / "subgraphs").glob("*.json"))
NOTES = {"MarkdownNote", "Note"}
INPUT_SIDE, OUTPUT_SIDE = -10, -20


def read(path):
    """The workflow in a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def definitions(workflow):
    """Subgraph definitions by id."""
    return {each["id"]: each for each in workflow.get("definitions", {}).get("subgraphs", [])}


def levels(workflow):
    """The graph itself and every subgraph definition."""
    return [workflow, *definitions(workflow).values()]


def links_of(level):
    """Links as (id, origin, slot, target, slot, type), of the graph itself or of a subgraph."""
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return [
        tuple(link) if isinstance(link, list) else tuple(link[name] for name in names)
        for link in level["links"]
    ]


def widget_names(node, known):
    """Names of a node's widgets in the order of ``widgets_values``; "" for the one that says what happens to a seed."""
    names = []
    for name, each in known[node["type"]]["inputs"].items():
        if each["type"] in WIDGETS:
            names += [name, ""] if each.get("control") else [name]
    return names


def values_of(node, known):
    """A node's widget values by name."""
    return {name: value for name, value in zip(widget_names(node, known), node["widgets_values"]) if name}


def to_prompt(workflow, known):
    """What the front end sends for a workflow: notes gone, subgraphs unfolded, widgets by name."""
    prompt = {}
    _unfold(workflow, "", {}, definitions(workflow), known, prompt)
    return prompt


def _unfold(level, prefix, outside, subgraphs, known, prompt):
    """Adds a level's nodes; returns what its outputs stand for."""
    nodes = {node["id"]: node for node in level["nodes"] if node["type"] not in NOTES}
    links = {link[0]: link for link in links_of(level)}
    inner = {}

    def source(link_id):
        _, origin, slot, *_ = links[link_id]
        if origin == INPUT_SIDE:
            return outside[slot]
        node = nodes[origin]
        if node["type"] not in subgraphs:
            return [f"{prefix}{origin}", slot]
        return unfolded(node)[slot]

    def unfolded(node):
        number, subgraph = node["id"], subgraphs[node["type"]]
        if number not in inner:
            given = dict(enumerate(incoming(node)))
            inner[number] = _unfold(subgraph, f"{prefix}{number}:", given, subgraphs, known, prompt)
        return inner[number]

    def incoming(node):
        widgets = iter(node["widgets_values"])
        for each in node["inputs"]:
            value = next(widgets) if "widget" in each else None
            yield value if each["link"] is None else source(each["link"])

    for node in nodes.values():
        if node["type"] in subgraphs:
            unfolded(node)
            continue
        inputs = values_of(node, known)
        linked = {each["name"]: source(each["link"]) for each in node["inputs"] if each["link"] is not None}
        linked = {name: value for name, value in linked.items() if value is not None}
        prompt[f"{prefix}{node['id']}"] = {"class_type": node["type"], "inputs": {**inputs, **linked}}
    return {link[4]: source(link[0]) for link in links.values() if link[3] == OUTPUT_SIDE}
