"""Runs graphs in this process with the host's calling convention: lists, blockers, caching, one error message per prompt."""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import inspect
import itertools
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tests.support.comfyui import fake_io, fake_modules
from tests.support.comfyui.fake_modules import ExecutionBlocker

ROOT = Path(__file__).resolve().parents[3]
CORE = "imagereward_core"
_packs = itertools.count()
_free: dict[str, list[str]] = {}
"""Names of packs that were let go, by their folder; their cores are still imported, and know nothing of a host."""


def load_pack(folder):
    """Imports a node pack as the host does: under its path as a name, by the file alone.

    The nodes are imported anew for every host; a core that an earlier one has let go is used again, for importing it takes longer than
    most tests.
    """
    known = _free.get(str(folder))
    name = known.pop() if known else f"{str(folder).replace('.', '_x_')}#{next(_packs)}"
    spec = importlib.util.spec_from_file_location(
        name, Path(folder) / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def unload_pack(folder, pack):
    """Forgets a node pack but for its core."""
    core = f"{pack.__name__}.{CORE}"
    for name in [name for name in sys.modules if name.startswith(pack.__name__)]:
        if name != core and not name.startswith(f"{core}."):
            del sys.modules[name]
    _free.setdefault(str(folder), []).append(pack.__name__)


def nodes_of(pack):
    """The node classes of a pack by id."""
    extension = pack.comfy_entrypoint()
    if asyncio.iscoroutine(extension):
        extension = asyncio.run(extension)
    return {cls.GET_SCHEMA().node_id: cls for cls in asyncio.run(extension.get_node_list())}


@dataclass
class Ran:
    """What the host says about a prompt afterwards.

    Attributes:
        status: success or error.
        outputs: The ``ui`` of every output node that ran.
        error: The message of the error dialog.
        kind: The type of the exception.
        cached: Nodes whose result was used again.
        shown_type: The type of the exception as the host's report shows it.
    """

    status: str
    outputs: dict = field(default_factory=dict)
    error: str = ""
    kind: str = ""
    cached: list = field(default_factory=list)
    shown_type: str = ""


class _Failed(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


class FakeHost:
    """A host of either generation, with our pack and the probe."""

    name = "fake"

    def __init__(self, monkeypatch, base, recent=True, packs=(ROOT, Path(__file__).parent / "probe")):
        self.base = base
        self.host = fake_modules.install(monkeypatch, base, recent)
        self.folders = packs
        self.packs = [load_pack(folder) for folder in packs]
        self.nodes = {name: cls for pack in self.packs for name, cls in nodes_of(pack).items()}
        self.cache = {}
        self.workflow = {"id": "w"}

    def close(self):
        for folder, pack in zip(self.folders, self.packs):
            if hasattr(pack, "trouble"):  # of which the core would go on to hear
                pack.trouble.waiting.update(pack.trouble.NONE)
            unload_pack(folder, pack)

    def module(self, name):
        """A module of our pack, for tests that look inside."""
        return importlib.import_module(f"{self.packs[0].__name__}.{name}")

    def trouble(self, interrupt=None, **what):
        """Asks for trouble (see the probe), and forgets the bars seen so far."""
        self.packs[1].trouble.ask(self.nodes, **what)
        fake_modules.ProgressBar.seen = []
        fake_modules.ProgressBar.interrupt = interrupt and (tuple(interrupt), self.host.management)

    def bars(self):
        """Value and total of every movement of a bar since then."""
        return fake_modules.ProgressBar.seen

    def choices(self, node, name):
        """What a drop-down list of a node offers."""
        return next(each.given["options"] for each in self.nodes[node].GET_SCHEMA().inputs if each.id == name)

    def run(self, graph):
        """Runs a prompt; mirrors the host's executor for what these graphs use, with a cache that forgets nothing (``--cache-lru``)."""
        graph = copy.deepcopy(dict(graph))
        ran = Ran("success")
        missing = self._missing(graph)
        if missing:
            return Ran("error", error=f"required_input_missing {missing}", kind="refused")
        refused = self._refused(graph)
        if refused:
            return Ran("error", error=f"custom_validation_failed {refused}", kind="refused")
        results, keys = {}, {}
        try:
            for node_id, node in graph.items():
                schema = self.nodes[node["class_type"]].GET_SCHEMA()
                if schema.is_output_node:
                    self._execute(node_id, graph, results, keys, ran)
        except _Failed as failed:
            kind = type(failed.error)
            ran.status, ran.error, ran.kind = "error", str(failed.error), kind.__name__
            ran.shown_type = f"{kind.__module__}.{kind.__qualname__}"
        return ran

    def _key(self, node_id, graph, keys):
        if node_id not in keys:
            node = graph[node_id]
            cls = self.nodes[node["class_type"]]
            inputs = node["inputs"]
            mark = ""
            if hasattr(cls, "fingerprint_inputs"):
                try:
                    mark = cls.fingerprint_inputs(
                        **{k: None if _is_link(v) else v for k, v in inputs.items()}
                    )
                except Exception:
                    mark = float("nan")
                node["is_changed"] = [mark]  # the host notes it there, and savers write it down
            parts = [
                (name, self._key(value[0], graph, keys), value[1]) if _is_link(value) else (name, value)
                for name, value in sorted(inputs.items())
            ]
            # Compared as the host does, which puts the parts into tuples: one object, NaN too, equals itself.
            keys[node_id] = (node["class_type"], mark, tuple(parts))
        return keys[node_id]

    def _missing(self, graph):
        """Inputs without which the host refuses a prompt."""
        return [
            (node_id, each.id)
            for node_id, node in graph.items()
            for each in self.nodes[node["class_type"]].GET_SCHEMA().inputs
            if not each.optional and each.id not in node["inputs"]
        ]

    def _refused(self, graph):
        """What nodes object to before anything runs; as in the host, inputs come as a list where the node takes lists."""
        found = []
        for node in graph.values():
            cls = self.nodes[node["class_type"]]
            check = getattr(cls, "validate_inputs", None)
            if check is not None:
                lists = cls.GET_SCHEMA().is_input_list
                given = {
                    name: None if _is_link(value) else [value] if lists else value
                    for name, value in node["inputs"].items()
                    if name in inspect.signature(check).parameters
                }
                answer = check(**given)
                found += [answer] if answer is not True else []
        return found

    def _mark_cached(self, node_id, graph, keys, ran):
        """As the host reports it: a node whose result is used again, and those in front of it."""
        if node_id not in ran.cached and self._key(node_id, graph, keys) in self.cache:
            ran.cached.append(node_id)
            for value in graph[node_id]["inputs"].values():
                if _is_link(value):
                    self._mark_cached(value[0], graph, keys, ran)

    def _execute(self, node_id, graph, results, keys, ran):
        if node_id in results:
            return results[node_id]
        node = graph[node_id]
        cls = self.nodes[node["class_type"]]
        schema = cls.GET_SCHEMA()
        key = self._key(node_id, graph, keys)
        if key in self.cache:
            self._mark_cached(node_id, graph, keys, ran)
            results[node_id], shown = self.cache[key]
        else:
            inputs = {}
            for name, value in node["inputs"].items():
                linked = (
                    self._execute(value[0], graph, results, keys, ran)[value[1]]
                    if _is_link(value)
                    else [value]
                )
                inputs[name] = linked
            try:
                with torch.inference_mode():
                    results[node_id], shown = _map(
                        cls,
                        schema,
                        inputs,
                        {
                            "prompt": graph,
                            "extra_pnginfo": {"workflow": self.workflow},
                            "unique_id": node_id,
                        },
                    )
            except BaseException as error:
                if (
                    not isinstance(error, Exception)
                    and type(error).__name__ != "InterruptProcessingException"
                ):
                    raise
                raise _Failed(error) from error
            self.cache[key] = results[node_id], shown
        if shown:
            ran.outputs[node_id] = shown
        return results[node_id]

    def files(self, folder="output"):
        """All files below one of the host's folders, as relative paths."""
        root = self.base / folder
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _is_link(value):
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _map(cls, schema, inputs, hidden):
    """Calls the node once for a list, or once per entry; blockers skip the call."""
    asked = {each.value.lower() for each in getattr(schema, "hidden", None) or ()}
    if schema.is_output_node:  # the host gives them these by itself
        asked |= {"prompt", "extra_pnginfo"}
    hidden = types.SimpleNamespace(**{name: hidden[name] if name in asked else None for name in hidden})
    clone = cls.PREPARE_CLASS_CLONE(hidden)
    if schema.is_input_list:
        calls = [inputs]
    else:
        longest = max((len(value) for value in inputs.values()), default=0)
        calls = [
            {name: value[min(at, len(value) - 1)] for name, value in inputs.items()} for at in range(longest)
        ] or [{}]
    returned, shown = [], []
    for call in calls:
        values = [each for value in call.values() for each in (value if schema.is_input_list else [value])]
        blockers = [value for value in values if isinstance(value, ExecutionBlocker)]
        if blockers:
            returned.append((ExecutionBlocker(None),) * len(schema.outputs or []))
            continue
        output = clone.execute(**call)
        assert isinstance(output, fake_io.NodeOutput)
        returned.append(output.result or ())
        if output.ui is not None:
            shown.append(output.ui if isinstance(output.ui, dict) else output.ui.as_dict())
    assert all(len(values) == len(schema.outputs or []) for values in returned)
    merged = []
    for place, output in enumerate(schema.outputs or []):
        values = []
        for result in returned:
            many = output.is_output_list and not isinstance(result[place], ExecutionBlocker)
            values.extend(result[place] if many else [result[place]])
        merged.append(values)
    return merged, {key: [each for one in shown for each in one[key]] for key in shown[0]} if shown else {}
