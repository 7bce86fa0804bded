"""Finds the node of a ComfyUI graph that wrote a file, by the file's name."""

from __future__ import annotations

import glob
import re
import unicodedata
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import NamedTuple

from . import nodes as known
from .graph import Graph, Link, Node
from .strings import UNTOLD

_LONGEST_PREFIX = 1000
_TOKEN = re.compile(r"%[^%]+%|\[[^\[\]]*\]")
_NUMBER_TOKEN = re.compile(r"%(width|height|year|month|day|hour|minute|second|batch_num)%")
_ANY, _ANY_NUMBER = "\0", "\1"
_GLOBS = {_ANY: "*", _ANY_NUMBER: "[0-9]*"}
_COPY = re.compile(r"\s?\(\d+\)\Z")
_COUNTER = re.compile(r"(.*)_\d+_\Z", re.DOTALL)
_OTHER_COUNTERS = (re.compile(r"(.*)[_\-. ]\d+\Z", re.DOTALL), re.compile(r"(.*\D|)\d+\Z", re.DOTALL))


class _Fit(NamedTuple):
    """How well a prefix fits: without placeholders or not, how many of its characters, how many folders."""

    exact: bool
    length: int
    folders: int


def saver_groups(graph: Graph) -> list[list[str]]:
    """Nodes that save or show a picture, as groups of those equally likely to have written one, the likeliest first."""
    consumed = {link.node for node in graph.values() for _, link in node.links()}
    ranked: dict[int, list[str]] = {}
    for name, node in graph.items():
        if not any(known.IMAGE_INPUT.match(key.lower()) for key, _ in node.links()):
            continue
        saves = bool(known.SAVER.search(node.kind))
        if saves or name not in consumed:
            rank = 1 if saves else 3 if known.VIEWER.search(node.kind) else 2
            ranked.setdefault(rank, []).append(name)
    return [ranked[rank] for rank in sorted(ranked)]


def writers_of(
    graph: Graph, groups: list[list[str]], file_name: str | None, text: Callable[[str], str]
) -> list[str]:
    """Those of the savers that may have given a file its name; none where the name does not say.

    The longest prefix that is followed by a counter is the one: ``fox_whale_00001_.png`` is of ``fox_whale``, not
    of ``fox``. Of equal ones it is those whose folder the file is in. ``text`` gives that of a node, for a prefix that others put together.
    """
    if not file_name:
        return []
    savers = [name for group in groups for name in group]
    prefixes = [(name, graph[name].kind, prefix) for name in savers if (prefix := _prefix(graph[name], text))]
    # Where letter case does not count, a saver's files may be spelled like those of another run.
    for spell in (_composed, lambda written: _composed(written).casefold()):
        place = PurePath(spell(file_name).replace("\\", "/"))
        fits = {
            name: fit
            for name, kind, prefix in prefixes
            if (fit := _fit(kind, spell(prefix), place)) is not None
        }
        if fits:
            best = max(fits.values())
            return [name for name, fit in fits.items() if fit == best]
    return []


def _prefix(node: Node, text: Callable[[str], str]) -> str:
    if node.kind == "PreviewImage":
        return "ComfyUI_temp_%five letters%"
    value = next((node.inputs[key] for key in known.PREFIXES if key in node.inputs), "")
    if isinstance(value, Link):
        value = text(value.node)
    return value if isinstance(value, str) and len(value) <= _LONGEST_PREFIX and value != UNTOLD else ""


def _fit(kind: str, prefix: str, place: PurePath) -> _Fit | None:
    """How well a prefix fits a file; None where a node with this prefix cannot have given it its name."""
    marked = _TOKEN.sub(
        lambda found: _ANY_NUMBER if _NUMBER_TOKEN.fullmatch(found[0]) else _ANY, prefix.replace("\\", "/")
    )
    *folders, name = [part for part in marked.split("/") if part not in ("", ".")] or [""]
    if not name or not any(fnmatchcase(start, _glob(name)) for start in _starts(kind, place.stem)):
        return None
    parents = place.parent.parts[-len(folders) :] if folders else ()
    inside = len(parents) == len(folders) and all(
        fnmatchcase(parent, _glob(folder)) for parent, folder in zip(parents, folders)
    )
    # A prefix without folders writes into the host's own folder.
    near = inside if folders else place.parent.name == known.OUTPUT_FOLDER
    literal = sum(character not in _GLOBS for character in name)
    return _Fit(not any(token in name for token in _GLOBS), literal, len(folders) + 1 if near else 0)


def _starts(kind: str, stem: str) -> list[str]:
    """What stands before the counter in a file's name, where the counter may be any of those that nodes of this class write."""
    stem = _COPY.sub("", stem)
    if found := _COUNTER.fullmatch(stem):
        return [found[1]]
    if kind in known.COUNTED:
        return []
    return [stem, *(found[1] for pattern in _OTHER_COUNTERS if (found := pattern.fullmatch(stem)))]


def _glob(marked: str) -> str:
    return "".join(_GLOBS.get(character) or glob.escape(character) for character in marked)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
