"""Cleans a prompt as it was written for an image generator to the words a scorer should see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..plain import well_formed

_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#(?=\s|\Z)[^\n]*")
_TOKEN = re.compile(r"<\w+:[^<>]*>|\\.|[()\[\]{}:|]|[^\\()\[\]{}:|<]+|[\\<]", re.DOTALL)
_TAG = re.compile(r"<\w+:[^<>]*>")
_NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)\s*")
# Between two words in capitals ("LOVE AND PEACE") these are words and no operators.
_AND = re.compile(r"\bAND\b(?!(?<=[A-Z]\sAND)\s[A-Z]{2})")
_BREAK = re.compile(r"\bBREAK\b(?!(?<=[A-Z]\sBREAK)\s[A-Z]{2})")
_EMBEDDING = re.compile(r"\b(?:embedding:)+([^\s,]+)")
_CHOICE = re.compile(r"\{[^{}|]*\|[^{}]*\}|__[\w\-/*]+__")
_EMPHASIS = re.compile(r"(?<![\w.:])(-?(?:\d{1,4}(?:\.\d{0,6})?|\.\d{1,6}))::([^:]*)::")
_COMMAS = re.compile(r" ?,(?: ?,)*")
_SYNTAX = str.maketrans(dict.fromkeys("()[]<>\\", " "))
_CLOSING = {")": "(", "]": "[", "}": "{"}
_EXTENSIONS = (".safetensors", ".pt", ".bin")
_PROMPT_START = "<Prompt Start>"
_PASSES = 6
_LONGEST = 100_000


@dataclass(frozen=True)
class CleanPrompt:
    """A prompt as a scorer should see it.

    Attributes:
        text: The words without the generator's syntax.
        removed: Pieces with words in them that the scorer does not see, as written, in the order of their removal.
        notes: Plain sentences about syntax that was left as it stands.
    """

    text: str
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Group:
    """A bracket still open: its kind, its place among the tokens, what separators and quotes stand directly inside it."""

    kind: str
    start: int
    separators: list[int] = field(default_factory=list)
    quoted: bool = False


def clean_prompt(text: str) -> CleanPrompt:
    r"""Remove generator syntax from a prompt and keep its words.

    - ``<lora:name:0.8>`` and every other ``<name:value>``: removed. They choose weights, not content.
    - ``(word:1.2)``, ``((word))``, ``[word]``: the word. Plain ``(word)`` is emphasis if it stands between
      commas or if the prompt shows elsewhere that it is written in this syntax (a weight, a doubled or square
      bracket, an escape, a tag); otherwise the parentheses are part of the sentence and stay.
    - ``\(`` and ``\)``: literal parentheses. Square brackets are dropped even if escaped.
    - ``[from:to:0.5]``: ``to``; ``[word:0.5]``: the word; ``[word::0.5]``: nothing. The words in force at the
      last step are those the finished picture was steered to; what was left behind is listed in ``removed``.
    - ``[a|b]``: ``a b``, since the picture is a blend of both.
    - ``{word}`` and ``1.2::word::`` (NovelAI's emphasis): the word; with a weight of 0 or less it is removed.
      Braces around a quote, a colon or a choice stay.
    - ``BREAK`` and ``AND``: a comma. Weights of prompts joined by AND go; a prompt of weight 0 or less is
      removed.
    - ``embedding:folder/name.pt``: ``name``, as the same embedding is written in the WebUIs.
    - ``# remark`` (a ``#`` between white space or at the start of a line): removed to the end of the line.
      Stricter than the WebUI, which takes every ``#``: hashtags and colours such as ``#ff0000`` stay.
    - ``{a|b}`` and ``__wildcards__`` that were never resolved: left as they stand, with a note.
    - Everything up to ``<Prompt Start>`` (the instruction that Lumina's encoder wants in front): removed.
    - If anything was changed, white space is collapsed and stray commas go.
    - Of a text longer than 100,000 characters, which nobody wrote, the rest is left out, with a note.

    A prompt without such syntax comes back unchanged but for white space at its ends. Cleaning a clean prompt
    changes nothing. Takes time in proportion to the length; never raises.
    """
    removed: list[str] = []
    clean = well_formed(text.strip()[:_LONGEST]).strip()
    # What one pass unwraps can be syntax again, as in "\((word:1.2)\)". Text made to go on so for ever loses
    # its brackets.
    for attempt in range(2 * _PASSES):
        before = clean
        if attempt == _PASSES:
            clean = _tidy(clean.translate(_SYNTAX))
        clean = _pass(clean, removed)
        if clean == before:
            break
    notes = []
    if _CHOICE.search(clean):
        notes.append("choices such as {a|b} or __name__ were never resolved: left as written")
    if len(text.strip()) > _LONGEST:
        notes.append(f"the prompt is longer than {_LONGEST} characters: the rest was left out")
    return CleanPrompt(clean, tuple(removed), tuple(notes))


def _pass(text: str, removed: list[str]) -> str:
    instruction, mark, clean = text.rpartition(_PROMPT_START)
    if mark:
        removed.append((instruction + mark).strip())
    clean = _COMMENT.sub(_keep_record(removed), clean)
    clean = _unbracket(_EMPHASIS.sub(_emphasized(removed), clean), removed)
    clean = _uncompose(clean, removed)
    clean = _EMBEDDING.sub(_embedding_name, _BREAK.sub(", ", clean))
    return text if clean == text else _tidy(clean)


def _emphasized(removed: list[str]) -> Callable[[re.Match[str]], str]:
    """The words of NovelAI's ``1.2::word::``; those with a weight of 0 or less go."""

    def words(found: re.Match[str]) -> str:
        if float(found[1]) > 0:
            return found[2]
        removed.append(found[0])
        return ""

    return words


def _unbracket(text: str, removed: list[str]) -> str:
    """Resolve tags, escapes and brackets in one sweep over the tokens with a stack of the open brackets."""
    tokens = _TOKEN.findall(text)
    output = list(tokens)
    # dropped[i] > 0 summed from the left: token i belongs to words that go. Marking both ends of a range
    # keeps this linear however ranges nest.
    dropped = [0] * (len(tokens) + 1)
    stack: list[_Group] = []
    open_now = {"(": 0, "[": 0, "{": 0}
    plain: list[tuple[int, int]] = []
    closed_at: dict[int, int] = {}
    in_syntax = False
    for index, token in enumerate(tokens):
        if token in open_now:
            stack.append(_Group(token, index))
            open_now[token] += 1
        elif token in _CLOSING and open_now[_CLOSING[token]]:
            while (group := stack.pop()).kind != _CLOSING[token]:
                open_now[group.kind] -= 1
            open_now[group.kind] -= 1
            closed_at[group.start] = index
            if group.kind == "[":
                _resolve_square(group, index, tokens, output, dropped)
                in_syntax = True
            elif group.kind == "(":
                doubled = closed_at.get(group.start + 1) == index - 1 and tokens[group.start + 1] == "("
                weighted = _drop_weight(group, index, tokens, output)
                in_syntax = in_syntax or doubled or weighted
                plain.append((group.start, index))
            elif not group.separators and not group.quoted:
                output[group.start] = output[index] = ""
        elif token in (":", "|") and stack:
            stack[-1].separators.append(index)
        elif '"' in token and stack:
            stack[-1].quoted = True
        elif len(token) == 2 and token[0] == "\\" and token[1] in "()[]":
            output[index] = token[1] if token[1] in "()" else ""
            in_syntax = True
        elif _TAG.fullmatch(token):
            output[index] = " "
            removed.append(token)
            in_syntax = True
    for start, end in plain:
        if in_syntax or _is_whole_item(tokens, start, end):
            output[start] = output[end] = ""
    return _without_dropped(tokens, output, dropped, removed)


def _drop_weight(group: _Group, end: int, tokens: list[str], output: list[str]) -> bool:
    """Blank the ``:1.2`` before a closing bracket; whether there was one."""
    last = group.separators[-1] if group.separators else -1
    if last == end - 2 and tokens[last] == ":" and _NUMBER.fullmatch(tokens[end - 1]):
        output[end - 2] = output[end - 1] = ""
        return True
    return False


def _resolve_square(
    group: _Group, end: int, tokens: list[str], output: list[str], dropped: list[int]
) -> None:
    output[group.start] = output[end] = ""
    if _drop_weight(group, end, tokens, output):
        colons = [index for index in group.separators if tokens[index] == ":"]
        if len(colons) > 1:
            dropped[group.start + 1] += 1
            dropped[colons[-2]] -= 1
            output[colons[-2]] = ""
    for index in group.separators:
        if tokens[index] == "|":
            output[index] = " "


def _is_whole_item(tokens: list[str], start: int, end: int) -> bool:
    """Whether a bracket fills the space between two commas, line ends or ends of the text."""
    before = tokens[start - 1].rstrip(" \t") if start else ""
    after = tokens[end + 1].lstrip(" \t") if end + 1 < len(tokens) else ""
    starts = before[-1:] in (",", ";", "\n") if before else start <= 1
    ends = after[:1] in (",", ";", "\n") if after else end + 2 >= len(tokens)
    return starts and ends


def _without_dropped(tokens: list[str], output: list[str], dropped: list[int], removed: list[str]) -> str:
    kept: list[str] = []
    lost: list[str] = []
    depth = 0
    for token, word, change in zip(tokens, output, dropped):
        depth += change
        if depth > 0:
            lost.append(token)
            continue
        if lost:
            removed.append("".join(lost))
            lost = []
        kept.append(word)
    return "".join(kept)


def _uncompose(text: str, removed: list[str]) -> str:
    """Join prompts composed with AND by commas, without their weights."""
    parts = _AND.split(text)
    if len(parts) == 1:
        return text
    kept = []
    for part in parts:
        words, colon, weight = part.rpartition(":")
        if not (colon and _NUMBER.fullmatch(weight)):
            kept.append(part)
        elif float(weight) > 0:
            kept.append(words)
        else:
            removed.append(part.strip())
    return ", ".join(kept)


def _embedding_name(match: re.Match[str]) -> str:
    name = match.group(1).replace("\\", "/").rstrip("/").rpartition("/")[2]
    for extension in _EXTENSIONS:
        name = name.removesuffix(extension)
    return name


def _keep_record(removed: list[str]) -> Callable[[re.Match[str]], str]:
    def drop(match: re.Match[str]) -> str:
        removed.append(match.group().strip())
        return ""

    return drop


def _tidy(text: str) -> str:
    return _COMMAS.sub(",", " ".join(text.split())).strip(" ,")
