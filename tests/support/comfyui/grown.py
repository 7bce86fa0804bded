"""Gives nodes in the examples the widgets their schemas have got since, with defaults: ``python tests/support/comfyui/grown.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def grow(node, inputs, widgets):
    """Adds what is missing at the end of a node's widgets."""
    here = {each["name"] for each in node["inputs"]}
    names = [each.id for each in inputs if each.io_type in widgets]
    for each in inputs:
        if each.io_type in widgets and each.id not in here:
            node["inputs"].append(
                {"name": each.id, "type": each.io_type, "link": None, "widget": {"name": each.id}}
            )
    given = node["widgets_values"]
    defaults = {each.id: each.given.get("default") for each in inputs}
    given += [defaults[name] for name in names[len(given) :]]


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    from tests.support.comfyui.pack import WIDGETS, schemas
    from tests.support.comfyui.workflows import BLUEPRINTS, EXAMPLES, levels, read

    for path in (*EXAMPLES, *BLUEPRINTS):
        workflow = read(path)
        for level in levels(workflow):
            for node in level["nodes"]:
                if node["type"] in schemas():
                    grow(node, schemas()[node["type"]].inputs, WIDGETS)
        path.write_text(json.dumps(workflow, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
