"""Contents of a report: which pictures are shown, what they can be filtered by, and the data of the page's script."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..plain import encodable
from ..scores import FloatArray, Scores
from .rows import Facts

if TYPE_CHECKING:
    from ..images.decode import ImageSource

AT_ONCE = 300
"""So many pictures a page holds as such. Cards beyond lie in it as text, and the script makes them when they come into view."""
CARDS_IN_BLOCK = 100
"""Cards in one block of text."""
NO_MODEL = "Model not named"
NO_LORA = "No LoRA"


@dataclass(frozen=True)
class ReportEntry:
    """One picture of a report; empty or None where nothing is known.

    Attributes:
        picture: What its thumbnail is made from.
        path: The file that its thumbnail links to.
        written: Its prompt as somebody wrote it, before generator syntax was removed.
        origin: Where the prompt was found, in words that may follow "written in": ``the picture's metadata``.
        note: One more line below the picture.
        stars: What a person gave it, 0..5.
        model, loras, seed: The checkpoint that made it, the LoRAs that were used, and the seed as text.
    """

    name: str
    picture: ImageSource | None = None
    path: Path | None = None
    written: str = ""
    origin: str = ""
    note: str = ""
    stars: int | None = None
    model: str = ""
    loras: tuple[str, ...] = ()
    seed: str = ""
    bucket: str = ""


@dataclass(frozen=True)
class Names:
    """Names with numbers, the most frequent first: ``counts`` is how often each occurs, in the order of the numbers."""

    counts: Mapping[str, int]

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        """Counts names; equally frequent ones keep the order of first appearance."""
        return cls(dict(Counter(names).most_common()))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each name."""
        return {name: number for number, name in enumerate(self.counts)}

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything a page is made from.

    Attributes:
        entries: The pictures, in input order.
        facts: What the scores and the selection say about each.
        own: For each the share of the user's own scores below its score, float64 [N] in 0..100; NaN where that is not known.
        most: At most so many of the best pictures are shown; None for all.
    """

    entries: Sequence[ReportEntry]
    scores: Scores
    facts: Sequence[Facts]
    own: FloatArray
    most: int | None = None
    kept_only: bool = False

    @cached_property
    def scored(self) -> list[Facts]:
        """Pictures with a score, best first."""
        return sorted((fact for fact in self.facts if fact.rank), key=lambda fact: (fact.rank, fact.index))

    @cached_property
    def shown(self) -> list[Facts]:
        """Pictures that the page shows, best first."""
        return [fact for fact in self.scored if fact.kept or not self.kept_only][: self.most]

    @cached_property
    def failed(self) -> list[Facts]:
        """Pictures without a score, in input order."""
        return [fact for fact in self.facts if not fact.rank]

    @cached_property
    def models(self) -> Names:
        """Checkpoints of the pictures that are shown; empty where none is named."""
        return Names.of(name for fact in self.shown if (name := self.entries[fact.index].model))

    @cached_property
    def loras(self) -> Names:
        """LoRAs of the pictures that are shown."""
        return Names.of(name for fact in self.shown for name in dict.fromkeys(self.entries[fact.index].loras))

    @cached_property
    def buckets(self) -> Names:
        """Buckets of the pictures that are shown."""
        return Names.of(name for fact in self.shown if (name := self.entries[fact.index].bucket))

    @cached_property
    def prompts(self) -> dict[int, int]:
        """Numbers on the page of the prompts that are shown, by their numbers in the facts."""
        return {old: new for new, old in enumerate(sorted({fact.prompt for fact in self.shown}))}

    @cached_property
    def prompt_texts(self) -> list[tuple[str, str]]:
        """Seen and cut part of every prompt that is shown, in the order of their numbers."""
        texts: dict[int, tuple[str, str]] = {}
        for fact in self.shown:
            texts.setdefault(self.prompts[fact.prompt], (fact.seen, fact.cut))
        return [texts[number] for number in range(len(texts))]

    def groups(self, kind: str) -> dict[str, list[float]]:
        """Scores of all pictures, shown or not, by ``model``, ``lora`` or ``prompt``; empty where metadata names none.

        A picture with several LoRAs stands under each of them.
        """
        groups: dict[str, list[float]] = {}
        for fact in self.scored:
            entry = self.entries[fact.index]
            if kind == "prompt":
                names: Sequence[str] = [self.scores.prompts[fact.index].strip() or "No prompt"]
            elif kind == "model":
                names = [entry.model or NO_MODEL]
            else:
                names = list(dict.fromkeys(entry.loras)) or [NO_LORA]
            for name in names:
                groups.setdefault(name, []).append(fact.score)
        return {} if set(groups) <= {NO_MODEL, NO_LORA} and kind != "prompt" else groups

    def labels(self, kind: str) -> dict[str, int]:
        """Numbers of the groups in the page's filters; of those that can be filtered by."""
        if kind == "prompt":
            return {
                (self.scores.prompts[fact.index].strip() or "No prompt"): self.prompts[fact.prompt]
                for fact in reversed(self.shown)
            }
        if kind == "model":
            return {**self.models.numbers, NO_MODEL: -1}
        return {**self.loras.numbers, NO_LORA: -1}

    def data(self) -> dict[str, Any]:
        """Data of the page's script: the pictures that are shown, best first, and the texts they share."""
        written: dict[str, int] = {}
        pictures = [self._picture(fact, written) for fact in self.shown]
        return {
            "scorer": self.scores.scorer,
            "revision": self.scores.revision,
            "prompts": [{"seen": seen, "cut": cut} for seen, cut in self.prompt_texts],
            "models": list(self.models.counts),
            "loras": list(self.loras.counts),
            "buckets": list(self.buckets.counts),
            "written": list(written),
            "at_once": AT_ONCE,
            "in_block": CARDS_IN_BLOCK,
            "pictures": pictures,
        }

    def _picture(self, fact: Facts, written: dict[str, int]) -> dict[str, Any]:
        entry = self.entries[fact.index]
        told: dict[str, Any] = {
            "id": fact.index,
            "name": encodable(entry.name),
            "score": fact.score,
            "percentile": None if math.isnan(fact.percentile) else round(fact.percentile, 3),
            "rank": fact.rank,
            "prompt": self.prompts[fact.prompt],
            "kept": fact.kept,
        }
        if written_otherwise(entry.written, fact):
            told["written"] = written.setdefault(entry.written, len(written))
        if entry.model:
            told["model"] = self.models.numbers[entry.model]
        if entry.loras:
            told["loras"] = [self.loras.numbers[name] for name in dict.fromkeys(entry.loras)]
        if entry.bucket:
            told["bucket"] = self.buckets.numbers[entry.bucket]
        if entry.seed:
            told["seed"] = entry.seed
        if entry.stars is not None:
            told["stars"] = entry.stars
        return told


def written_otherwise(written: str, fact: Facts) -> bool:
    """Whether the prompt as written differs from what the scorer was given in more than white space."""
    return bool(written) and "".join(written.split()) != "".join(f"{fact.seen}{fact.cut}".split())
