"""Results of ComfyUI's string and switch nodes: texts chosen, joined, replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from . import nodes as known
from .graph import Link, Node, Value

MAX_TEXT = 100_000
"""Longest text followed, in characters: a few string nodes in a row can double a text without end."""

UNTOLD = "\0"
"""Stands for words that are not stored: a text of which a part is not known is not known."""

_NUMBER = re.compile(r"\d+$")
_OPERAND = re.compile(r"(find|replace)\d*$")


def literal(value: Value) -> str:
    """The words in a widget's value; numbers and choices of a list of anything but text are no words."""
    if isinstance(value, str):
        return value.replace(UNTOLD, "")
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str)).replace(UNTOLD, "")
    return ""


def join_texts(texts: Iterable[str]) -> str:
    """Join by commas what is not blank and not said already, up to ``MAX_TEXT`` characters."""
    kept: dict[str, None] = {}
    length = 0
    for text in texts:
        if text.strip() and text not in kept and length < MAX_TEXT:
            kept[text] = None
            length += len(text)
    return ", ".join(kept)


def is_switch(node: Node) -> bool:
    """Whether a node hands on one of its inputs and leaves the others aside."""
    return node.kind in known.SWITCHES or "switch" in node.kind.lower()


def chosen_input(node: Node) -> Value:
    """The input a switch hands on, if the choice is stored with it; else None."""
    if node.kind in known.SWITCHES:
        selector, names = known.SWITCHES[node.kind]
        connected = [name for name in names if name in node.inputs]
        if len(connected) == 1:
            return node.inputs[connected[0]]
        choice = node.inputs.get(selector)
        if isinstance(choice, (bool, int)) and 0 <= choice < len(names):
            return node.inputs.get(names[choice])
        return None
    choice = next((node.inputs[name] for name in known.SELECTORS if name in node.inputs), None)
    if isinstance(choice, str) and choice.isdecimal() and len(choice) < 5:
        choice = int(choice)
    if isinstance(choice, int):
        for name, value in node.inputs.items():
            number = _NUMBER.search(name)
            if number and len(number.group()) < 5 and int(number.group()) == choice:
                return value
    return None


def word_fields(node: Node) -> list[str]:
    """The inputs of a text node whose texts are needed to know what it gives."""
    main = _main_fields(node)
    if not main:
        return []
    beside = [name for name, _ in known.APPENDED] + list(known.DELIMITERS)
    operands = [name for name in node.inputs if _OPERAND.match(name)]
    third = ["text_c"] if node.inputs.get("action") == "replace" else []
    return main + [name for name in (*beside, *operands, *third) if name in node.inputs and name not in main]


def assemble(node: Node, texts: Mapping[str, str], note: Callable[[str], None]) -> str:
    """The text a text node makes of its texts, those of its ``word_fields``: joined in order, then searched and replaced.

    ``note`` takes a plain sentence about anything that could not be carried out.
    """
    main = _main_fields(node)
    if node.inputs.get("action") == "replace" and "text_a" in texts:
        # String Function of Custom Scripts: text_b is what to find, or a pattern between slashes.
        find, new = texts.get("text_b", ""), texts.get("text_c", "")
        if len(find) > 1 and find[0] == find[-1] == "/":
            note(f"a pattern in a {node.kind} node was not applied")
            return texts["text_a"]
        return _replace(texts["text_a"], find, new)
    delimiter = next((texts[name] for name in known.DELIMITERS if name in node.inputs), None)
    if delimiter is None or delimiter in ("true", "false"):
        # Older editors' files have a switch where newer ones have the delimiter.
        delimiter = "" if node.inputs.get("tidy_tags") == "no" else ", "
    parts = [texts[name] for name in main if texts.get(name)]
    text = _bounded_join(parts, delimiter.replace("\\n", "\n"))
    for name in sorted(texts):
        if name.startswith("find") and _OPERAND.match(name):
            text = _replace(text, texts[name], texts.get("replace" + name[4:], ""))
    if "regex_pattern" in node.inputs:
        note(f"a pattern in a {node.kind} node was not applied")
    for name, before in known.APPENDED:
        if beside := texts.get(name):
            text = _bounded_join([beside, text] if before else [text, beside], " ")
    return text


def _main_fields(node: Node) -> list[str]:
    """The field that holds the text, and the numbered ones that continue it, in their order."""
    names = {name.lower(): name for name in node.inputs if _is_text(node.inputs[name])}
    family = sorted((name for name in names if known.TEXT_FAMILY.match(name)), key=_by_number)
    single = next((name for name in known.TEXT_INPUTS if name in names), None)
    fields = ([single] if single and single not in family else []) + family
    return [names[name] for name in fields]


def _by_number(name: str) -> tuple[int, str]:
    number = _NUMBER.search(name)
    return (int(number.group()[:9]) if number else 0, name)


def _is_text(value: Value) -> bool:
    return isinstance(value, (Link, str)) or (
        isinstance(value, list) and any(isinstance(item, str) for item in value)
    )


def _replace(text: str, find: str, new: str) -> str:
    """Replace, unless ``find`` is empty (it fits between all letters) or the result would be too long."""
    if not find or len(text) + text.count(find) * len(new) > MAX_TEXT:
        return text
    return text.replace(find, new)


def _bounded_join(parts: Iterable[str], delimiter: str) -> str:
    kept: list[str] = []
    length = 0
    for part in parts:
        if length > MAX_TEXT:
            break
        kept.append(part)
        length += len(part) + len(delimiter)
    return delimiter.join(kept)
