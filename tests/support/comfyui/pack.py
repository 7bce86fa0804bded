"""What the pack's schemas say, read through a host in this process."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.support.comfyui.fake_host import FakeHost
from tests.support.comfyui.graphs import NODES

ROOT = Path(__file__).resolve().parents[3]
LOCALES = ROOT / "locales"
NODE_IDS = [f"ImageRewardCurator{name}" for name in NODES]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


@cache
def schemas():
    """The schema of every node by id."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as base:
        host = FakeHost(patch, Path(base), packs=(ROOT,))
        try:
            return {name: cls.GET_SCHEMA() for name, cls in host.nodes.items()}
        finally:
            host.close()


def schema_texts():
    """Texts in the shape of ``nodeDefs.json``; inputs are named as in the graph."""
    return {
        name: {
            "display_name": schema.display_name,
            "description": schema.description,
            "inputs": {
                each.id: {
                    "name": each.given.get("display_name") or each.id,
                    "tooltip": each.given.get("tooltip"),
                }
                for each in schema.inputs
            },
            "outputs": {
                str(place): {"name": each.display_name, "tooltip": each.tooltip}
                for place, each in enumerate(schema.outputs)
            },
        }
        for name, schema in schemas().items()
    }


def own_nodes():
    """Inputs and outputs of our nodes as the examples are checked against them."""
    return {
        name: {
            "inputs": {
                each.id: {
                    "type": each.io_type,
                    "optional": each.optional,
                    **{key: each.given[key] for key in ("options", "min", "max") if key in each.given},
                }
                for each in schema.inputs
            },
            "outputs": [each.io_type for each in schema.outputs],
        }
        for name, schema in schemas().items()
    }


def recorded_nodes():
    """The built-in nodes the examples use, recorded from real hosts."""
    return json.loads((Path(__file__).parent / "builtin_nodes.json").read_text(encoding="utf-8"))["nodes"]


def nodes_of_object_info(info):
    """A host's ``/object_info`` in the same shape. Lists of files are left out, because they differ between machines."""
    found = {}
    for name, node in info.items():
        inputs = {}
        for group in ("required", "optional"):
            for key, (kind, *rest) in node["input"].get(group, {}).items():
                more = rest[0] if rest else {}
                options = kind if isinstance(kind, list) else more.get("options")
                inputs[key] = {
                    "type": "COMBO" if isinstance(kind, list) else kind,
                    "optional": group == "optional",
                }
                if options and not all(isinstance(each, str) and "." in each for each in options):
                    inputs[key]["options"] = options
                inputs[key] |= {each: more[each] for each in ("min", "max") if each in more}
                if more.get("control_after_generate"):
                    inputs[key]["control"] = True
        found[name] = {"inputs": inputs, "outputs": list(node["output"])}
    return found


def locale(language, name="nodeDefs"):
    return json.loads((LOCALES / language / f"{name}.json").read_text(encoding="utf-8"))
