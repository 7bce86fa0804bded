"""Reads a whole model saved by ``torch.save(model)`` as data: the tensors of its state dict, and nothing that runs.

Such a file names the classes of the model, and loading it means importing and building them, so it can do
anything. Here the same instructions only write down what the file says: a class becomes its name, an object its
name and its attributes. The names are never looked up. What a state dict would hold is then read off the
attributes every ``torch.nn.Module`` keeps (``Module.state_dict`` of torch).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .pickled import PLAIN, Name, PickleReader, PickleRefusedError, TensorRecord, read_pickle

_SETS = {"__builtin__.set", "builtins.set"}
_PARAMETER_WITH_STATE = "torch._utils._rebuild_parameter_with_state"
# Far more than any model has. A small file can describe modules that lie in each other a great many times.
_MOST = 100_000
_DEEPEST = 32
_LONGEST_NAME = 64


@dataclass
class ObjectRecord:
    """An object as the file describes it: what it would have been made with, and its attributes as far as they are stored."""

    kind: Any
    state: dict[str, Any] = field(default_factory=dict)


class ModelReader(PickleReader):
    """Writes down objects of any class instead of refusing them."""

    def name(self, text: str) -> Name:
        """Any name, as text."""
        return Name(text)

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Tensors, ordered dictionaries and sets of text; the result of any other call as an empty object."""
        text = function.text if isinstance(function, Name) else ""
        if text in PLAIN:
            return super().call(function, arguments)
        if text == _PARAMETER_WITH_STATE:
            return arguments[0]
        if text in _SETS:
            return {member for member in arguments[0] if isinstance(member, str)} if arguments else set()
        return ObjectRecord(function)

    def attach(self, target: Any, state: Any) -> None:
        """Keeps the attributes of an object."""
        if isinstance(target, ObjectRecord) and isinstance(state, dict):
            target.state.update({key: value for key, value in state.items() if isinstance(key, str)})

    def other(self, instruction: str) -> None:
        """The two further instructions that objects need."""
        if instruction == "NEWOBJ":
            arguments = self.stack.pop()
            self.stack.append(self.call(self.stack.pop(), arguments))
        elif instruction == "POP":
            self.stack.pop()
        else:
            super().other(instruction)

    def put(self, target: Any, key: Any, value: Any) -> None:
        """Entries of dictionaries; those of other objects, and under keys that are no text, lead to no tensor of the model."""
        if isinstance(target, dict) and isinstance(key, (str, int)) and len(str(key)) <= _LONGEST_NAME:
            target[key] = value


def read_model(data: bytes) -> Any:
    """Like :func:`~.pickled.read_pickle`, but a whole model becomes the dictionary of tensors that is its state dict."""
    tree = read_pickle(data, ModelReader())
    if not isinstance(tree, ObjectRecord):
        return tree
    found = _state_dict(tree)
    if not found:
        kind = tree.kind.text if isinstance(tree.kind, Name) else "no known class"
        raise PickleRefusedError(f"it holds an object of {kind}, which has no tensors; nothing of it was run")
    return found


def _state_dict(model: ObjectRecord) -> dict[str, TensorRecord]:
    """The tensors of ``model`` and of the modules in it, under the names a state dict gives them."""
    found: dict[str, TensorRecord] = {}
    waiting: list[tuple[str, Any]] = [("", model)]
    seen = 0
    while waiting:
        prefix, module = waiting.pop()
        if not isinstance(module, ObjectRecord):
            raise PickleRefusedError(f"{prefix.rstrip('.')} in it is no module; nothing of it was run")
        if prefix.count(".") > _DEEPEST:
            raise PickleRefusedError(
                f"modules lie more than {_DEEPEST} deep in it, or in themselves; nothing of it was run"
            )
        left_out = module.state.get("_non_persistent_buffers_set")
        for group in ("_parameters", "_buffers"):
            for name, tensor in _entries(module, group).items():
                persistent = group == "_parameters" or not (isinstance(left_out, set) and name in left_out)
                if isinstance(tensor, TensorRecord) and persistent:
                    found[f"{prefix}{name}"] = tensor
                if len(found) > _MOST:
                    raise PickleRefusedError(f"it holds more than {_MOST:,} tensors; nothing of it was run")
        children = _entries(module, "_modules")
        seen += len(children)
        if seen > _MOST:
            raise PickleRefusedError(f"it holds more than {_MOST:,} modules; nothing of it was run")
        waiting.extend((f"{prefix}{name}.", child) for name, child in children.items() if child is not None)
    return found


def _entries(module: ObjectRecord, group: str) -> dict[Any, Any]:
    entries = module.state.get(group)
    return entries if isinstance(entries, dict) else {}
