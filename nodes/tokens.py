"""Tokens in names of files and folders, filled in as the host fills those of its own SaveImage: by its server and by its page."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Union

PICTURE_TOKENS = (
    "rank",
    "score",
    "scorer",
    "percentile",
    "index",
    "frame",
    "batch_num",
    "verdict",
    "width",
    "height",
)
"""What differs from picture to picture; the host knows the last two and ``batch_num`` as well."""
TIMES = ("year", "month", "day", "hour", "minute", "second")
_DATE = "dd?|MM?|hh?|mm?|ss?|yyy?y?"
_NOT_IN_NAMES = r'[/?<>\\:*|"\x00-\x1f\x7f]'
_TOKEN = (
    rf"%(?:(?P<known>{'|'.join((*PICTURE_TOKENS, *TIMES))})|date:(?P<date>[^%]+)|(?P<node>[^%.]+)\.(?P<widget>[^%.]+)"
    r"|(?P<unknown>[A-Za-z][^%/]*))%"
)


@dataclass(frozen=True)
class PictureToken:
    """A place in a name that is filled in for each picture."""

    name: str


Part = Union[str, PictureToken]


class _Node(NamedTuple):
    """A node as tokens name it: by type, or by its "Node name for S&R"; ``drawn`` is what the workflow holds of it."""

    number: str
    kind: str
    title: str
    drawn: Mapping[str, Any]


def unknown_tokens(text: str) -> list[str]:
    """Tokens of a text that no run could fill in, each with its signs.

    >>> unknown_tokens("%date:yyyy%/%rank%_%KSampler.seed%_%model%")
    ['%model%']
    """
    return [match[0] for match in re.finditer(_TOKEN, text) if match["unknown"]]


def known_words() -> str:
    """All tokens in a sentence."""
    names = " ".join(f"%{name}%" for name in (*PICTURE_TOKENS, *TIMES))
    return f"{names} %date:yyyy-MM-dd% and %Node.widget%, such as %KSampler.seed%"


@dataclass
class HostTokens:
    """Fills in what does not differ between the pictures of a run.

    Attributes:
        prompt: The host's prompt: nodes by id, as the run got them.
        workflow: The workflow as the page saw it; empty where a program queued the run.
        now: The time that stands in all names of the run.
        unfilled: What could not be filled in, in sentences.
    """

    prompt: Mapping[str, Any]
    workflow: Mapping[str, Any]
    now: time.struct_time = field(default_factory=time.localtime)
    unfilled: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, hidden: Any) -> HostTokens:
        """Those of the run that a node is part of, from its hidden inputs."""
        prompt, extra = getattr(hidden, "prompt", None), getattr(hidden, "extra_pnginfo", None)
        workflow = extra.get("workflow") if isinstance(extra, Mapping) else None
        return cls(
            prompt if isinstance(prompt, Mapping) else {}, workflow if isinstance(workflow, Mapping) else {}
        )

    def parts(self, where: str, text: str, later: Collection[str] = PICTURE_TOKENS) -> list[Part]:
        """A text from the input ``where``, all filled in but the tokens of ``later``. What is not known stays as it is, and is noted."""
        parts: list[Part] = []
        end = 0
        for match in re.finditer(_TOKEN, text):
            parts += [text[end : match.start()], self._filled(where, match, later)]
            end = match.end()
        return [*parts, text[end:]]

    def fill(self, where: str, text: str) -> str:
        """A text in which nothing differs between pictures, filled in."""
        return "".join(part for part in self.parts(where, text, ()) if isinstance(part, str))

    def _filled(self, where: str, match: re.Match[str], later: Collection[str]) -> Part:
        if match["known"] in TIMES:
            return self._time(match["known"])
        if match["known"] in later:
            return PictureToken(match["known"])
        if match["date"]:
            return re.sub(_DATE, self._date, match["date"])
        if match["node"]:
            value, problem = self._widget(match["node"], match["widget"])
        else:
            value, problem = None, "it is not known" if match["unknown"] else "it means nothing here"
        if value is None:
            self.unfilled.append(f"{match[0]} in {where} was not filled in: {problem}.")
            return match[0]
        return re.sub(_NOT_IN_NAMES, "_", value)

    def _time(self, name: str) -> str:
        number = self.now[TIMES.index(name)]
        return str(number) if name == "year" else f"{number:02}"

    def _date(self, match: re.Match[str]) -> str:
        """A piece of a date as the host's page writes it; it leaves ``yyy`` alone."""
        piece, year = match[0], str(self.now.tm_year)
        if piece[0] == "y":
            return {"yy": year[2:], "yyyy": year}.get(piece, piece)
        number = self.now["Mdhms".index(piece[0]) + 1]
        return str(number).rjust(len(piece), "0")

    def _widget(self, name: str, widget: str) -> tuple[str | None, str]:
        """The value of a widget of the first node of a name, and why there is none; a node goes by its type before its title."""
        nodes = list(self._nodes())
        found = [node for node in nodes if node.kind == name] or [
            node for node in nodes if node.title == name
        ]
        return self._value(found[0], name, widget) if found else (None, f"no node is called {name}")

    def _nodes(self) -> Iterator[_Node]:
        """Every node of the run, in the order of the workflow where there is one."""
        seen = set()
        for number, drawn in _in_workflow(self.workflow):
            seen.add(number)
            kind = _inside(drawn, "properties").get("Node name for S&R") or drawn.get("type")
            title = drawn.get("title") or _inside(self.prompt, number, "_meta").get("title")
            yield _Node(number, str(kind), str(title), drawn)
        for number, node in self.prompt.items():
            if number not in seen and isinstance(node, Mapping):
                title = _inside(node, "_meta").get("title")
                yield _Node(number, str(node.get("class_type")), str(title), {})

    def _value(self, node: _Node, name: str, widget: str) -> tuple[str | None, str]:
        inputs = _inside(self.prompt, node.number, "inputs")
        if widget in inputs:
            value = inputs[widget]
            if isinstance(value, list) and len(value) == 2 and str(value[0]) in self.prompt:
                # The page turns a widget with a link into a link; what it leads to has one value where it is a plain number or text.
                value = _inside(self.prompt, str(value[0]), "inputs").get("value")
            if isinstance(value, (str, int, float)):
                return _as_text(value), ""
            return None, f"{widget} of {name} comes from another node"
        value = _drawn_value(node.drawn, widget)
        if isinstance(value, (str, int, float)):
            return _as_text(value), ""
        return None, f"{name} has no widget {widget}"


def _in_workflow(workflow: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes of a workflow with the ids they have in the prompt: those in subgraphs follow that of the subgraph."""
    subgraphs = _listed(_inside(workflow, "definitions"), "subgraphs")
    by_id = {str(each["id"]): each for each in subgraphs if isinstance(each.get("id"), str)}
    yield from _at_level(workflow, by_id, before, 0)


def _at_level(
    level: Mapping[str, Any], subgraphs: Mapping[str, Any], before: str, depth: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node in _listed(level, "nodes"):
        number = f"{before}{node.get('id')}"
        yield number, node
        inner = subgraphs.get(str(node.get("type")))
        if inner is not None and depth < 20:
            yield from _at_level(inner, subgraphs, f"{number}:", depth + 1)


def _inside(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """What lies under keys one in another, where that is a mapping; an empty one else, for workflows may come from anywhere."""
    for key in keys:
        inner = value.get(key)
        if not isinstance(inner, Mapping):
            return {}
        value = inner
    return value


def _listed(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The mappings of a list under a key."""
    found = value.get(key)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _drawn_value(node: Mapping[str, Any], widget: str) -> Any:
    """The value of a widget of a node that is not part of the run, such as the page's own Primitive; None where it is not known."""
    values = node.get("widgets_values")
    if isinstance(values, Mapping):
        return values.get(widget)
    if not isinstance(values, list):
        return None
    if node.get("type") == "PrimitiveNode":
        return values[0] if values and widget == "value" else None
    names = [_inside(each, "widget").get("name") for each in _listed(node, "inputs") if each.get("widget")]
    return dict(zip(names, values)).get(widget) if len(names) == len(values) else None


def _as_text(value: str | float) -> str:
    """A value as the page writes it: 1.0 is "1", True is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
