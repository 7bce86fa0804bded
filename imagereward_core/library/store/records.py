"""Rows, queries and keys of a library as plain values: no file is touched and no database is open here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Order = Literal["best", "worst", "name", "newest"]


@dataclass(frozen=True, order=True)
class ScorerKey:
    """The key under which numbers are comparable: id of a scorer's card, revision of its weights, and way to prepare the picture.

    The last is ``"reference"``, or what departs from it: ``"whole-picture"``, and a precision other than float32 behind a slash
    (``"reference/bf16"``).
    """

    scorer: str
    revision: str
    preprocessing: str = "reference"


@dataclass(frozen=True)
class Generated:
    """How a picture was made, by its metadata or the text file beside it.

    Attributes:
        written: The prompt as somebody wrote it.
        prompt: The prompt as scorers are shown it, without generator syntax.
        origin: Where the prompt was found: ``"option"``, ``"sidecar"``, ``"metadata"``, or empty for nowhere.
        generator: The program whose format it was found in, such as ``"a1111"``; empty where unknown.
        model, loras: Name of the checkpoint and names of the LoRAs, where and in the order they are named.
        problem: Why there is no prompt; empty where there is one.
        notes: Choices made while reading the prompt, in sentences separated by semicolons.
        picture_note: What has to be known about how scorers see the picture; empty for most.
    """

    written: str = ""
    prompt: str = ""
    negative: str = ""
    origin: str = ""
    generator: str = ""
    model: str = ""
    loras: tuple[str, ...] = ()
    seed: str = ""
    problem: str = ""
    notes: str = ""
    picture_note: str = ""


@dataclass(frozen=True)
class Row:
    """One file with the number of one scorer: what pages, rules and reports read.

    Attributes:
        file: Number of the file in its library; another library numbers otherwise.
        path: Absolute path.
        content: Hexadecimal hash of the decoded pixels; empty for a file that could not be decoded.
        width, height: In pixels; 0 for a file that could not be decoded.
        size: In bytes.
        modified_ns: Time of the last change of the file, in nanoseconds since 1970.
        value: The score; None where there is none.
        cut: The part of the prompt that did not fit into the scorer; empty where all of it did.
        problem: Why there is no score; empty where there is one, or where the scorer has not come to it yet.
        stars: What a person gave it, 0..5; None where nobody gave anything.
        fingerprint: Perceptual hash of 64 bits, unsigned; None for a file that could not be decoded.
        decision: Whether a person wants it kept or rejected, whatever its score; None where rules are to decide.
    """

    file: int
    path: Path
    content: str
    width: int
    height: int
    size: int
    modified_ns: int
    generated: Generated
    value: float | None = None
    cut: str = ""
    problem: str = ""
    stars: int | None = None
    fingerprint: int | None = None
    decision: bool | None = None


@dataclass(frozen=True)
class Query:
    """Which rows, and in which order. Every condition that is set must hold.

    Attributes:
        key: Whose numbers to show; None for files without any.
        folder: Files in this folder and below it.
        minimum, maximum: The least and the highest score.
        prompt: Files with exactly this prompt, as scorers are shown it.
        text: Part of the file's name or of its prompt, in any letter case.
        order: ``"best"`` and ``"worst"`` go by score and end with files that have none; ``"name"`` by path; ``"newest"`` by the time
            of the last change, latest first.
        scored: True for files with a score only, False for files without one only.
    """

    key: ScorerKey | None = None
    folder: Path | None = None
    minimum: float | None = None
    maximum: float | None = None
    prompt: str | None = None
    text: str = ""
    order: Order = "best"
    scored: bool | None = None

    def __post_init__(self) -> None:
        if self.order not in ("best", "worst", "name", "newest"):
            raise ValueError(f"order is {self.order!r}; expected 'best', 'worst', 'name' or 'newest'")
        if self.key is None and (self.minimum is not None or self.maximum is not None or self.scored):
            raise ValueError(
                "a query for scores names no scorer; set key to the scorer, weights and preprocessing the scores are of"
            )
