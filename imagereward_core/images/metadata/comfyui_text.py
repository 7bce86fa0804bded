"""From a conditioning or a string in a ComfyUI graph back to the words it was made from.

Every node is read by a generator that asks for the text of the nodes it depends on; one loop runs the
generators on a stack of its own. So a chain of any length needs no recursion, a loop in the graph is noticed,
and a node that feeds many others is read once.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Literal

from . import comfyui_nodes as known
from .comfyui_graph import Graph, Link, Node, Value
from .comfyui_strings import MAX_TEXT, assemble, chosen_input, is_switch, join_texts, literal, word_fields

MAX_ALL_TEXTS = 16_000_000
"""Most characters kept for all nodes of a graph together."""
_BEGINNING = 200
_MOST_NOTES = 20

Role = Literal["positive", "negative"]
_Key = tuple[str, int, Role]
_Steps = Generator[tuple[Value, Role], str, str]


class TextTracer:
    """Finds the words behind a node's inputs; remembers what it has read and what it had to guess.

    Attributes:
        notes: Plain sentences about guesses and gaps, in the order they came up, without repetition.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[_Key, str] = {}
        self._notes: dict[str, None] = {}
        self._room = MAX_ALL_TEXTS

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes gathered so far."""
        return tuple(self._notes)

    def told(self, name: str, role: Role) -> str:
        """The words that sampler ``name`` is told to draw (``positive``) or to avoid (``negative``)."""
        return self._run((name, -1, role), self._drawn(self._graph[name], role))

    def text(self, name: str, role: Role = "positive") -> str:
        """The words that node ``name`` itself holds or passes on."""
        return self._run((name, 0, role), self._read(name, 0, role))

    def _run(self, start: _Key, steps: _Steps) -> str:
        if start in self._known:
            return self._known[start]
        stack = [(start, steps)]
        active = {start}
        answer: str | None = None
        while stack:
            key, steps = stack[-1]
            try:
                # The first thing sent to a generator must be None.
                value, role = steps.send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                answer = self._known[key] = self._within_limits(end.value, answer)
                active.discard(key)
                stack.pop()
                continue
            if not isinstance(value, Link):
                answer = literal(value)
                continue
            if value.node not in self._graph:
                answer = ""
                self._note(f"node {value.node} is missing from the graph")
                continue
            by_slot = self._graph[value.node].kind in known.TEXT_BY_SLOT
            asked = (value.node, value.slot if by_slot else 0, role)
            if asked in self._known:
                answer = self._known[asked]
            elif asked in active:
                answer = ""
                self._note(f"node {value.node} feeds itself in a loop")
            else:
                stack.append((asked, self._read(value.node, asked[1], role)))
                active.add(asked)
                answer = None
        return answer or ""

    def _within_limits(self, text: str, last_answer: str | None) -> str:
        """Cut a text to ``MAX_TEXT``, or to its beginning once new texts add up to ``MAX_ALL_TEXTS``."""
        if text is last_answer:
            return text
        self._room -= min(len(text), MAX_TEXT)
        if self._room > 0:
            return text[:MAX_TEXT]
        self._note("the texts in the graph are too long to follow them all: the prompt was cut")
        return text[:_BEGINNING]

    def _note(self, sentence: str) -> None:
        if len(self._notes) < _MOST_NOTES:
            self._notes[sentence] = None

    def _drawn(self, node: Node, role: Role) -> _Steps:
        """What a sampler draws, or a service that takes a prompt and gives a picture."""
        text = yield from self._guided(node, role)
        if text or role == "negative":
            return text
        texts = []
        for _, value in _matching(node, known.CONDITIONING):
            texts.append((yield value, role))
        return join_texts(texts) or (yield node.inputs.get("prompt"), role)

    def _guided(self, node: Node, role: Role) -> _Steps:
        """What reaches a node as prompt of this role, by an input of its own, a guider or a bundle."""
        found = False
        texts = []
        for _, value in _matching(node, known.ROLE_FIELDS[role]):
            texts.append((yield value, role))
            found = found or isinstance(value, Link)
        if found or any(texts):
            return join_texts(texts)
        if node.kind in known.POSITIVE_ONLY and role == "negative":
            return ""
        if isinstance(guider := node.inputs.get("guider"), Link):
            return (yield guider, role)
        for _, value in _matching(node, known.PIPES):
            if text := (yield value, role):
                return text
        return ""

    def _read(self, name: str, slot: int, role: Role) -> _Steps:
        """The text of one node, by what is known of its class or else by the names of its inputs."""
        node = self._graph[name]
        if node.kind in known.EMPTY:
            return ""
        if is_switch(node):
            return (yield from self._switched(name, node, role))
        if node.kind in known.TEXT_BY_SLOT:
            fields = known.TEXT_BY_SLOT[node.kind]
            return (yield node.inputs.get(fields[min(max(slot, 0), len(fields) - 1)]), role)
        if text := (yield from self._guided(node, role)):
            self._remark(name, node)
            return text
        # What is left is the positive prompt, unless the node has an input for it or for the negative one.
        only_positive = node.kind in known.POSITIVE_ONLY or known.STYLER.search(node.kind)
        if _matching(node, known.ROLE_FIELDS["positive"]) or (role == "negative" and only_positive):
            return ""
        texts = []
        for _, value in _matching(node, known.CONDITIONING):
            texts.append((yield value, role))
        texts.append((yield from self._words(name, node, role)))
        text = join_texts(texts)
        if text:
            self._remark(name, node)
            return text
        links = [(key, link) for key, link in node.links() if not known.IMAGE_INPUT.match(key.lower())]
        if len(links) == 1 and links[0][0] not in known.NOT_PICTURE:
            return (yield links[0][1], role)
        return ""

    def _words(self, name: str, node: Node, role: Role) -> _Steps:
        """What a text encoder or a string node holds in its own fields."""
        alternatives = known.TEXT_FIELDS.get(node.kind, ())
        best = ""
        for fields in alternatives:
            texts = []
            for field in fields:
                texts.append((yield node.inputs.get(field), role))
            text = join_texts(texts)
            if best and text and text != best and fields[0].startswith(("clip_", "t5", "bert")):
                self._note(f"node {name} ({node.kind}) holds another text in {fields[0]}, which was left out")
            best = best or text
        if best:
            return best
        found: dict[str, str] = {}
        for field in word_fields(node):
            found[field] = yield node.inputs[field], role
        text = assemble(node, found, self._note) if found else ""
        if known.GUESSED_TEXT in found and text:
            self._note(f"node {name} ({node.kind}) is unknown: took the only words among its values")
        return text

    def _switched(self, name: str, node: Node, role: Role) -> _Steps:
        """The one input a switch hands on; where its choice is not stored, the first that leads to words."""
        if (chosen := chosen_input(node)) is not None:
            return (yield chosen, role)
        links = [link for key, link in node.links() if key not in known.SELECTORS]
        for link in links:
            if text := (yield link, role):
                if len(links) > 1 and not known.FIRST_OF.search(node.kind):
                    self._note(
                        f"what node {name} ({node.kind}) hands on is not stored: took its first with words"
                    )
                return text
        return ""

    def _remark(self, name: str, node: Node) -> None:
        """Say where the words in the file may differ from those the picture was made from."""
        where = f"node {name} ({node.kind})"
        if known.REWRITER.search(node.kind):
            self._note(
                f"{where} rewrites its text and its answer is not stored: this is the text it was given"
            )
        elif known.STYLER.search(node.kind):
            self._note(f"{where} adds a style whose words are not stored")
        elif known.RANDOM.search(node.kind) and "populated_text" not in node.inputs:
            self._note(f"{where} chooses words at random and its choice is not stored")


def _matching(node: Node, pattern: re.Pattern[str]) -> list[tuple[str, Value]]:
    return [
        (name, value)
        for name, value in node.inputs.items()
        if isinstance(value, (Link, str, list)) and pattern.match(name.lower())
    ]
