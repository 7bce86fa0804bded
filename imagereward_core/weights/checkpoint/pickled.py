"""Reads the pickle inside a ``.pt`` file as data. Nothing it names is imported, called or built.

A pickle is a small program. ``torch.load(weights_only=True)`` runs a restricted form of it, and that
restriction had holes: code could run before torch 2.6 (CVE-2025-32434) and memory be overwritten before torch
2.10 (CVE-2026-24747), while hosts still run 2.1. A file of plain tensors needs about thirty instructions and
a handful of names; they are interpreted here over the standard library's disassembler, into dictionaries and
:class:`TensorRecord`, and everything else is refused by name.
"""

from __future__ import annotations

import pickletools
import struct
from dataclasses import dataclass
from typing import Any

LARGEST_PICKLE = 32 * 1024 * 1024
"""Longest pickle read, in bytes. That of a checkpoint with 625 tensors has about 70 thousand."""

STORAGES: dict[str, str] = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
"""Storage classes a tensor may be kept in, with the torch dtype each stands for."""

_ORDERED_DICT = "collections.OrderedDict"
_TENSOR = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"
PLAIN = {_ORDERED_DICT, _TENSOR, _PARAMETER}
"""What a file of plain tensors calls."""

_KNOWN = {*PLAIN, *(f"torch.{name}" for name in STORAGES)}

_MOST_DIMENSIONS = 32
_LITERALS = {"BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1", "BINUNICODE"}
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_FIXED_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class PickleRefusedError(ValueError):
    """The pickle is damaged or asks for something a file of plain tensors does not need."""


@dataclass(frozen=True)
class StorageRecord:
    """Where a tensor's numbers lie: a record of the archive, its dtype by name and its length in numbers."""

    dtype: str
    key: str
    length: int


@dataclass(frozen=True)
class TensorRecord:
    """A tensor as the file describes it: a strided view (all four in numbers, not bytes) of a storage."""

    storage: StorageRecord
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class Name:
    """A name the pickle mentions, kept as text."""

    text: str


def read_pickle(data: bytes, reader: PickleReader | None = None) -> Any:
    """The tree ``data`` describes: dictionaries, lists, tuples, numbers, text and :class:`TensorRecord`.

    PickleRefusedError where it is cut short, longer than :data:`LARGEST_PICKLE`, or uses an instruction or a name that ``reader``, by
    default one for plain tensors, does not need.
    """
    if len(data) > LARGEST_PICKLE:
        raise PickleRefusedError(f"its pickle has {len(data)} bytes, more than any list of tensors needs")
    reader = reader or PickleReader()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            reader.step(opcode.name, argument)
        return reader.stack.pop()
    except PickleRefusedError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, struct.error, Warning) as error:
        raise PickleRefusedError(f"its pickle is damaged ({error})") from error


class PickleReader:
    """The stack, the marks and the memo of the pickle machine, holding data only."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carries out one instruction."""
        stack = self.stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name in _FIXED_TUPLES:
            stack.append(tuple(self._take(len(stack) - _FIXED_TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._take(self.marks.pop())))
        elif name in ("APPEND", "APPENDS"):
            items = self._take(len(stack) - 1 if name == "APPEND" else self.marks.pop())
            _as(list, stack[-1]).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._take(len(stack) - 2 if name == "SETITEM" else self.marks.pop())
            for key, value in zip(items[::2], items[1::2], strict=True):
                self.put(stack[-1], key, value)
        elif name == "GLOBAL":
            stack.append(self.name(".".join(argument.split(" ", 1))))
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            arguments = _as(tuple, stack.pop())
            stack.append(self.call(stack.pop(), arguments))
        elif name == "BUILD":
            state = stack.pop()
            self.attach(stack[-1], state)
        elif name not in ("PROTO", "STOP"):
            self.other(name)

    def name(self, text: str) -> Name:
        """A name the pickle asks for, if plain tensors need it."""
        if text not in _KNOWN:
            raise PickleRefusedError(
                f"its pickle asks for {text}, which plain tensors never need; nothing of it was run"
            )
        return Name(text)

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """What calling ``function`` stands for, as data."""
        text = _as(Name, function).text
        if text == _ORDERED_DICT and not arguments:
            return {}
        if text == _PARAMETER:
            return _as(TensorRecord, arguments[0])
        if text != _TENSOR:
            raise TypeError(f"{text} is called in an unknown way")
        return _tensor(*arguments[:4])

    def attach(self, target: Any, state: Any) -> None:
        """Gives ``target`` its state; torch stores a state dict's ``_metadata`` this way, which nobody needs."""
        _as(dict, target)

    def other(self, instruction: str) -> None:
        """Carries out an instruction that plain tensors never need."""
        raise PickleRefusedError(
            f"its pickle uses the instruction {instruction}, which plain tensors never need; nothing was run"
        )

    def put(self, target: Any, key: Any, value: Any) -> None:
        """Sets one entry of a dictionary."""
        _as(dict, target)
        if not isinstance(key, (str, int)):
            raise PickleRefusedError(
                f"its pickle uses a {type(key).__name__} as the name of an entry; expected text"
            )
        target[key] = value

    def _take(self, start: int) -> list[Any]:
        if start < 0 or start > len(self.stack):
            raise IndexError("an instruction takes more than there is")
        taken = self.stack[start:]
        del self.stack[start:]
        return taken


def _as(kind: type, value: Any) -> Any:
    """``value``, which has to be a ``kind``."""
    if not isinstance(value, kind):
        raise TypeError(f"found {type(value).__name__} where {kind.__name__} belongs")
    return value


def _storage(identity: Any) -> StorageRecord:
    """A storage from torch's persistent id: ("storage", class, key, device, length)."""
    tag, kind, key, _device, length = _as(tuple, identity)
    _as(Name, kind)
    if tag != "storage" or not isinstance(key, str) or not _is_count(length):
        raise TypeError("a storage is described in an unknown way")
    dtype = STORAGES.get(kind.text.removeprefix("torch."))
    if dtype is None:
        raise TypeError(f"{kind.text} is not a storage")
    return StorageRecord(dtype, key, length)


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> TensorRecord:
    """A tensor from the arguments of torch's ``_rebuild_tensor_v2``."""
    _as(StorageRecord, storage)
    _as(tuple, shape)
    _as(tuple, stride)
    if not all(_is_count(number) for number in (offset, *shape, *stride)):
        raise TypeError("the shape of a tensor is not a list of whole numbers")
    if len(shape) != len(stride) or len(shape) > _MOST_DIMENSIONS:
        raise TypeError(f"a tensor has {len(shape)} dimensions and {len(stride)} strides")
    return TensorRecord(storage, offset, shape, stride)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
