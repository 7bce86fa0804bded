"""Traces a conditioning or a string in a ComfyUI graph back to the words it was made from.

Every node is read by a generator that asks for the text of the nodes it depends on; one loop runs the
generators on a stack of its own. So a chain of any length needs no recursion, a loop in the graph is noticed,
and a node that feeds many others is read once.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import Literal

from . import nodes as known
from .answers import Answer, answer_of, answers_in, certainty, looks_at_picture, makes_up, shown_source
from .graph import Graph, Link, Node, Value, nodes_behind
from .lines import number_of, picked_lines, reshaped, seems_to_pick
from .strings import MAX_TEXT, UNTOLD, assemble, chosen_input, is_switch, join_texts, literal, word_fields

MAX_ALL_TEXTS = 16_000_000
"""Most characters kept for all nodes of a graph together."""
_BEGINNING = 200
_MOST_NOTES = 20
_MOST_ASKED = 256
_ENCODES = re.compile(r"(\w*_)?(clip|t5|text_encoder|model|vae)(_?\d+|_model)?$")

Role = Literal["positive", "negative"]
_Key = tuple[str, int, Role]
_Steps = Generator[tuple[Value, Role], str, str]


class TextTracer:
    """Finds the words behind a node's inputs; remembers what it has read and what it had to guess."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[_Key, str] = {}
        self._notes: dict[str, None] = {}
        self._room = MAX_ALL_TEXTS
        self._answers = answers_in(graph)

    @property
    def notes(self) -> tuple[str, ...]:
        """Plain sentences about guesses and gaps, in the order they came up, without repetition."""
        return tuple(self._notes)

    def told(self, name: str, role: Role) -> str:
        """The words that sampler ``name`` is told to draw (``positive``) or to avoid (``negative``).

        ``UNTOLD`` where there are words of which some are not stored.
        """
        return self._run((name, -1, role), self._drawn(self._graph[name], role))

    def text(self, name: str, role: Role = "positive") -> str:
        """The words that node ``name`` itself holds or passes on; ``UNTOLD`` where some are not stored."""
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
            asked = (value.node, value.slot if _has_slots(self._graph[value.node]) else 0, role)
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
        if UNTOLD in text:
            return UNTOLD
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
        text = yield from self._conditioned(node, role)
        return text or (yield node.inputs.get("prompt"), role)

    def _conditioned(self, node: Node, role: Role) -> _Steps:
        """What a node's conditionings hold together, as far as they count for something."""
        mixed, first, second = known.MIXED.get(node.kind, ("", "", ""))
        share = number_of(self._graph, node.inputs.get(mixed)) if mixed else None
        left_out = second if share == 1 else first if share == 0 else ""
        if known.WEIGHTED.match(node.kind) and number_of(self._graph, node.inputs.get("strength")) == 0:
            return ""
        texts = []
        for name, value in _matching(node, known.CONDITIONING):
            if name != left_out:
                texts.append((yield value, role))
        return join_texts(texts)

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
        if known.SHOWS.search(node.kind):
            return (yield from self._shown(name, node, role))
        if node.kind in known.LINES or node.kind in known.LISTS:
            return (yield from self._picked(name, node, slot, role))
        if makes_up(node):
            if answer := self._answers.get(Link(name, slot)):
                return self._answered(answer)
            if known.DETECTOR.search(node.kind) or (
                known.REWRITER.search(node.kind) and looks_at_picture(node)
            ):
                self._note(f"node {name} ({node.kind}) looks at a picture and its answer is not stored")
                return UNTOLD
        if text := (yield from self._guided(node, role)):
            self._remark(name, node)
            return text
        # What is left is the positive prompt, unless the node has an input for it or for the negative one.
        only_positive = node.kind in known.POSITIVE_ONLY or known.STYLER.search(node.kind)
        if _matching(node, known.ROLE_FIELDS["positive"]) or (role == "negative" and only_positive):
            return ""
        conditioned = yield from self._conditioned(node, role)
        text = join_texts([conditioned, (yield from self._words(name, node, role))])
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
        if not text.strip() and known.ENCODER.search(node.kind):
            return self._unstored(
                name, node, [*found, *(field for fields in alternatives for field in fields)]
            )
        if node.kind not in known.WIDGETS and seems_to_pick(node, text):
            self._note(
                f"node {name} ({node.kind}) seems to hand on some lines of its text: which is not known"
            )
            return UNTOLD
        part = reshaped(self._graph, node, text)
        if part is None:
            self._note(f"which part of its text node {name} ({node.kind}) hands on is not stored")
        return UNTOLD if part is None else part

    def _unstored(self, name: str, node: Node, fields: Iterable[str]) -> str:
        """Nothing where an encoder is given an empty text, ``UNTOLD`` where it is given one by a node that does not store it."""
        sources = [value for field in fields if isinstance(value := node.inputs.get(field), Link)]
        sources = [source for source in sources if source.node in self._graph]
        if not sources or is_told_nothing(self._graph, name):
            return ""
        giver = sources[0].node
        self._note(
            f"node {name} is given its words by node {giver} ({self._graph[giver].kind}), which does not store them"
        )
        return UNTOLD

    def _shown(self, name: str, node: Node, role: Role) -> _Steps:
        """The text of a node that shows it: what it has shown where that was made up, else what it is given."""
        answer, source = answer_of(name, node), shown_source(node)
        behind = certainty(self._graph, source) if source else "unknown"
        if answer and (behind == "made up" or (behind == "unknown" and (answer.fresh or not source))):
            return self._answered(answer)
        text = (yield source, role) if source else ""
        return self._answered(answer) if answer and text in ("", UNTOLD) else text

    def _answered(self, answer: Answer) -> str:
        if not answer.fresh:
            self._note(
                f"took what node {answer.node} showed before this run, which may have been another text"
            )
        return self._one_of(answer.node, answer.texts)

    def _picked(self, name: str, node: Node, slot: int, role: Role) -> _Steps:
        """The only text of the list that a node hands on."""
        if node.kind in known.LISTS:
            texts = []
            for _, value in _matching(node, known.LISTS[node.kind]):
                texts.append((yield value, role))
            return self._one_of(name, texts)
        text = yield node.inputs.get(known.LINES[node.kind].text), role
        lines = picked_lines(self._graph, node, text, slot) if text != UNTOLD else [UNTOLD]
        if lines is None:
            self._note(f"which lines of its text node {name} ({node.kind}) hands on is not stored")
            return UNTOLD
        return self._one_of(name, lines)

    def _one_of(self, name: str, texts: Iterable[str]) -> str:
        """The text of a list with a single one: of several each gives a picture of its own."""
        different = list(dict.fromkeys(text for text in texts if text.strip()))
        if len(different) < 2:
            return "".join(different)
        kind = self._graph[name].kind
        self._note(
            f"node {name} ({kind}) gives {len(different)} texts, and which of them this picture was drawn from is not stored"
        )
        return UNTOLD

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
        elif known.RESHAPER.search(node.kind):
            self._note(f"{where} hands on a part of its text or another order of it: this is the whole")
        elif looks_at_picture(node) and not any(_ENCODES.match(key.lower()) for key, _ in node.links()):
            self._note(f"{where} is unknown and looks at a picture: its text may be a question about it")


def is_told_nothing(graph: Graph, start: str) -> bool:
    """Whether a node without words is given a text that is there and is empty."""

    def follows(key: str) -> bool:
        return key not in known.NO_WORDS and not known.ROLE_FIELDS["negative"].match(key)

    return any(
        isinstance(value, str) and not value.strip()
        for node in nodes_behind(graph, start, follows, _MOST_ASKED)
        for key, value in (node.inputs.items() if node else ())
        if known.PROMPT_FIELD.match(key.lower())
    )


def _has_slots(node: Node) -> bool:
    """Whether a node's outputs give different texts."""
    return node.kind in known.TEXT_BY_SLOT or node.kind in known.LINES or makes_up(node)


def _matching(node: Node, pattern: re.Pattern[str]) -> list[tuple[str, Value]]:
    return [
        (name, value)
        for name, value in node.inputs.items()
        if isinstance(value, (Link, str, list)) and pattern.match(name.lower())
    ]
