"""The demo model's own WordPiece vocabulary: the words of its world and little else."""

from __future__ import annotations

from imagereward_core.demo.scenes import BACKGROUNDS, COLOURS, COUNT_WORDS, SHAPES

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PLAIN = "a an the of on in with and picture drawing image background left right above below".split()
PUNCTUATION = (",", ".", ":", ";", "!", "?", "-", "(", ")")


def vocabulary() -> list[str]:
    """All word pieces in the order of their ids. ``[DEC]`` and ``[ENC]`` are added by the tokenizer, as for ImageReward."""
    words: list[str] = [*SPECIAL, *PUNCTUATION, *PLAIN]
    for word in (*COUNT_WORDS, "one", *COLOURS, "grey", *BACKGROUNDS, *SHAPES):
        if word not in words:
            words.append(word)
    return [*words, "##s", "##es"]
