"""A prompt as phrases: those that are known, and what commas leave of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ....data.ranking import Phrase

FUNCTION = "function"
_BREAK = re.compile(r"[,;|\n、，；。]|\.(?=\s|$)")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_JOINING = frozenset("a an and as at by in of on or the to very with".split())
"""Words that are no phrase by themselves: what remains of a part once its phrases are taken out."""


def parts(prompt: str) -> Iterator[tuple[int, int]]:
    """Where the parts of a prompt begin and end: what commas and the like leave.

    >>> [("a fox, 8k. Sharp"[start:end]) for start, end in parts("a fox, 8k. Sharp")]
    ['a fox', ' 8k', ' Sharp']
    """
    start = 0
    for found in _BREAK.finditer(prompt):
        yield start, found.start()
        start = found.end()
    yield start, len(prompt)


def remaining(prompt: str, phrases: Iterable[Phrase]) -> int:
    """How many phrases a prompt has besides some: pieces of its parts with a word that means something alone.

    >>> remaining("a highly detailed fox, 8k and sharp", [Phrase(2, 17, "function"), Phrase(23, 25, "function")])
    2
    """
    taken = sorted((each.start, each.end) for each in phrases)
    count, at = 0, 0
    for start, end in parts(prompt):
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        following = at
        while following < len(taken) and taken[following][0] < end:
            count += _says(prompt[start : max(start, taken[following][0])])
            start = max(start, taken[following][1])
            following += 1
        count += _says(prompt[start : max(start, end)])
    return count


def _says(text: str) -> bool:
    """Whether a text has a word that means something alone; a number, such as the weight of a phrase, does not."""
    words = (word[0].lower() for word in WORD.finditer(text))
    return any(word not in _JOINING and not word.isdecimal() for word in words)


def function_share(prompt: str, phrases: Iterable[Phrase]) -> float:
    """Of the phrases of a prompt the share that are function phrases; 0 for a prompt without words.

    >>> function_share("a highly detailed fox, 8k", [Phrase(2, 17, "function"), Phrase(23, 25, "function")])
    0.6666666666666666
    """
    known = list(phrases)
    function = sum(each.kind == FUNCTION for each in known)
    total = len(known) + remaining(prompt, known)
    return function / total if total else 0.0
