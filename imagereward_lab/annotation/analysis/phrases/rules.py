"""Finds function phrases by a list and rules: within each part of a prompt the longest phrases of the list, from the left.

Letter case, hyphens and spaces do not matter. Besides the list, 2k to 64k (also 8 k) is a
resolution, with the words that usually follow it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from ....data.ranking import Phrase
from .pieces import FUNCTION, WORD, parts
from .words import FUNCTION_PHRASES, ONLY_ALONE

_RESOLUTION = re.compile(r"(?:2|3|4|5|6|7|8|9|10|12|16|20|24|32|64)k")
_AFTER_RESOLUTION = frozenset(
    "detail details hd hdr high image photo photograph photography picture quality render rendering res resolution textures uhd ultra "
    "video wallpaper".split()
)
_BETWEEN = re.compile(r"[\s\-_]*")
BY_RULES = "the list and rules of this program"


@lru_cache(maxsize=1)
def _by_first_word() -> dict[str, list[tuple[str, ...]]]:
    found = defaultdict(list)
    for phrase in FUNCTION_PHRASES:
        found[phrase[0]].append(phrase)
    return {word: sorted(phrases, key=len, reverse=True) for word, phrases in found.items()}


def find_function_phrases(prompts: Sequence[str]) -> list[list[Phrase]]:
    """Function phrases of every prompt, in their order.

    >>> [("Highly-detailed fox, 8K UHD"[each.start:each.end]) for each in find_function_phrases(["Highly-detailed fox, 8K UHD"])[0]]
    ['Highly-detailed', '8K UHD']
    >>> find_function_phrases(["a sharp knife"])
    [[]]
    """
    return [
        [each for start, end in parts(prompt) for each in _in_part(prompt, start, end)] for prompt in prompts
    ]


def _in_part(prompt: str, start: int, end: int) -> list[Phrase]:
    places = [(found.start(), found.end()) for found in WORD.finditer(prompt, start, end)]
    words = [prompt[first:last].lower().replace("’", "'").replace("'", "") for first, last in places]
    found, at = [], 0
    while at < len(words):
        length = _length_at(prompt, words, places, at)
        if length:
            found.append(Phrase(places[at][0], places[at + length - 1][1], FUNCTION))
        at += length or 1
    return found


def _length_at(prompt: str, words: list[str], places: list[tuple[int, int]], at: int) -> int:
    """How many words the longest phrase has that begins with a word; 0 for none."""
    joined = 1
    while at + joined < len(words) and _BETWEEN.fullmatch(
        prompt, places[at + joined - 1][1], places[at + joined][0]
    ):
        joined += 1
    longest = 0
    for phrase in _by_first_word().get(words[at], ()):
        size = len(phrase)
        alone = phrase not in ONLY_ALONE or size == len(words)
        if alone and size <= joined and tuple(words[at : at + size]) == phrase:
            longest = size
            break
    return max(longest, _resolution_at(words[at : at + joined]))


def _resolution_at(words: list[str]) -> int:
    """How many of some words, from the first on, are a resolution with what usually follows it."""
    size = next((each for each in (1, 2) if _RESOLUTION.fullmatch("".join(words[:each]))), 0)
    while 0 < size < len(words) and words[size] in _AFTER_RESOLUTION:
        size += 1
    return min(size, len(words))
