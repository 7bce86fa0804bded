"""Prompts as words for a network, and phrases as labels of words: where one begins, goes on, and of which kind it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....data.ranking import PHRASE_KINDS, Phrase
from .pieces import WORD

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NOTHING = "nothing"
LABELS = (NOTHING, *(f"{place} of {kind}" for kind in PHRASE_KINDS for place in ("begin", "inside")))
"""Of a word: part of no phrase, or the first or a further word of one."""


@dataclass(frozen=True)
class Words:
    """A prompt as a network reads it, cut where the network ends.

    Attributes:
        ids: Its tokens, special ones included.
        first: For every word (a punctuation mark is one) the place of its first token.
        places: For every word where it begins and ends in the prompt.
    """

    ids: tuple[int, ...]
    first: tuple[int, ...]
    places: tuple[tuple[int, int], ...]


def words_of(tokenizer: Tokenizer, prompts: Sequence[str], known: int) -> list[Words]:
    """Prompts as words.

    Args:
        tokenizer: BERT's, which cuts what is too long.
        prompts: What to read.
        known: How many ids the network knows; others are read as an unknown word.
    """
    unknown = tokenizer.token_to_id("[UNK]") or 0
    found = []
    for encoding in tokenizer.encode_batch(list(prompts)):
        first: list[int] = []
        places: list[tuple[int, int]] = []
        last = None
        for at, (word, (start, end)) in enumerate(zip(encoding.word_ids, encoding.offsets)):
            if word is None:
                continue
            if word != last:
                first.append(at)
                places.append((start, end))
            else:
                places[-1] = (places[-1][0], end)
            last = word
        ids = tuple(each if each < known else unknown for each in encoding.ids)
        found.append(Words(ids, tuple(first), tuple(places)))
    return found


def labels_of(words: Words, phrases: Iterable[Phrase]) -> list[int]:
    """The number of every word's label in :data:`LABELS`. A word that a phrase only touches is of it."""
    labels = [0] * len(words.places)
    for phrase in phrases:
        begun = 2 * PHRASE_KINDS.index(phrase.kind) + 1
        for at, (start, end) in enumerate(words.places):
            if start < phrase.end and phrase.start < end and not labels[at]:
                labels[at] = begun
                begun += begun % 2
    return labels


def phrases_of(prompt: str, words: Words, labels: Sequence[int]) -> list[Phrase]:
    """The phrases that labels say, as they stand in a prompt; marks alone are none.

    A word inside a phrase of another kind than the one before begins a phrase.
    """
    found: list[Phrase] = []
    kind = ""
    for (start, end), label in zip(words.places, labels):
        name = PHRASE_KINDS[(label - 1) // 2] if label else ""
        if name and name == kind and label % 2 == 0:
            found[-1] = Phrase(found[-1].start, end, name)
        elif name:
            found.append(Phrase(start, end, name))
        kind = name
    return [each for each in found if WORD.search(prompt, each.start, each.end)]
