"""The text found in a picture: the words it was made from, and the program that wrote them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from ..plain import well_formed, with_texts

Source = Literal[
    "a1111",
    "comfyui",
    "swarmui",
    "fooocus",
    "ruinedfooocus",
    "invokeai",
    "novelai",
    "easydiffusion",
    "drawthings",
    "civitai",
    "sidecar",
]


def has_words(text: str) -> bool:
    r"""Whether there is anything in a prompt that stands for something: more than spaces, marks and signs that cannot be seen.

    >>> has_words("a fox"), has_words("\N{FOX FACE}"), has_words(", ,"), has_words("\u200b"), has_words("")
    (True, True, False, False, False)
    """
    # What this Python's tables do not know yet, such as the newest emoji, may be a word.
    return any(
        kind[0] not in "PZM" and kind not in ("Cc", "Cf", "Cs") for kind in map(unicodedata.category, text)
    )


@dataclass(frozen=True)
class PictureText:
    """The text found in or beside one picture.

    Attributes:
        prompt: The positive prompt exactly as its author wrote it, syntax included; ``clean_prompt`` turns it
            into what a scorer should see. May be empty.
        negative: The negative prompt as written; empty when there is none or it is not stored.
        source: The program whose format the text was found in, or ``sidecar`` for a text file beside the picture.
        settings: Generation parameters as text, by the names the WebUI gives them (``Seed``, ``Model``, ``Size``,
            ...), those it has no name for by the program's own.
        notes: Plain sentences about choices that had to be made while reading, for a person to check.
        loras: LoRAs named apart from the prompt, as written; ``generation.generated_facts`` adds those in it.
    """

    prompt: str
    negative: str = ""
    source: Source = "a1111"
    settings: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """JSON may hold halves of characters, which no file, network or tokenizer takes: no text here has any."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, with_texts(value, well_formed))
