"""The files of a scorer that are missing on this machine, and how a person gets them without this program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .card import WeightFile, WeightsCard
from .cards import backbone_of
from .locate import WeightSettings, find_vocabulary, find_weights, target_folder


@dataclass(frozen=True)
class Lacking:
    """A file that is not here, the card it belongs to (the scorer's, or that of what its head sits on), and its folder."""

    card: WeightsCard
    file: WeightFile
    folder: Path

    @property
    def size(self) -> int:
        """About how many bytes it has; 0 where nobody knows."""
        return self.file.size or (self.card.download_size if self.file in self.card.checkpoint else 0)

    @property
    def text(self) -> str:
        """Says what to download, from where, and where to put it under which name."""
        about = f" (about {self.size / 1e6:,.1f} MB)" if self.size else ""
        name, where = self.file.name, self.file.address
        if self.file.repository:
            name = self.file.path_in_repository
            where = f"https://huggingface.co/{self.file.repository}/resolve/{self.file.revision}/{name}"
        return f"download {name}{about} from {where} and put it, named {self.file.name}, into {self.folder}"


def lacking(cards: Iterable[WeightsCard], settings: WeightSettings) -> list[Lacking]:
    """All files that scorers need, that are not here and can be had: for each its own, then those of what its head sits on."""
    found: dict[tuple[Path, str], Lacking] = {}  # two scorers may use the same file
    for card in cards:
        needed = [] if find_weights(card, settings) else [card.preferred]
        if card.tokenizer is not None and find_vocabulary(card, settings) is None:
            needed.append(card.tokenizer)
        for file in needed:
            if file is not None and (file.repository or file.address):
                folder = target_folder(card, settings)
                found.setdefault((folder, file.name), Lacking(card, file, folder))
        under = backbone_of(card)
        for each in lacking([under] if under else [], settings):
            found.setdefault((each.folder, each.file.name), each)
    return list(found.values())


def by_hand(card: WeightsCard, file: WeightFile, settings: WeightSettings) -> str:
    """How a person gets a file, and with it all others of the scorer that this program does not fetch either."""
    first = Lacking(card, file, target_folder(card, settings))
    here = (first.folder, file.name)
    others = [each for each in lacking([card], settings) if (each.folder, each.file.name) != here]
    if settings.allow_download and file.by_hand:  # what is on a hub comes by itself
        others = [each for each in others if each.file.by_hand]
    return in_words([first, *others])


def in_words(files: Sequence[Lacking]) -> str:
    """How a person gets files, in one sentence without a full stop."""
    if len(files) == 1:
        return f"To get it by hand, {files[0].text}"
    steps = "; ".join(f"{number}) {each.text}" for number, each in enumerate(files, 1))
    return f"To get all {len(files)} files by hand, {steps}"
