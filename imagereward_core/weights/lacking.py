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
    """A file that is not here.

    Attributes:
        card: Whose file it is: the scorer's, or that of what its head sits on.
        file: Which one.
        folder: Where it belongs.
    """

    card: WeightsCard
    file: WeightFile
    folder: Path

    @property
    def text(self) -> str:
        """Says what to download, from where, and where to put it under which name."""
        size = self.file.size or (self.card.download_size if self.file in self.card.checkpoint else 0)
        about = f" (about {size / 1e6:,.1f} MB)" if size else ""
        name, where = self.file.name, self.file.address
        if self.file.repository:
            name = self.file.path_in_repository
            where = f"https://huggingface.co/{self.file.repository}/resolve/{self.file.revision}/{name}"
        return f"download {name}{about} from {where} and put it, named {self.file.name}, into {self.folder}"


def by_hand_only(file: WeightFile) -> bool:
    """Whether a file is on no hub, but a person can get it elsewhere."""
    return bool(file.address) and not file.repository


def preferred_form(card: WeightsCard) -> WeightFile | None:
    """The form of a checkpoint to get: one that this program fetches, else one that a person can get; None where there is neither."""
    fetched = (form for form in card.checkpoint if form.repository)
    by_person = (form for form in card.checkpoint if form.address)
    return next(fetched, None) or next(by_person, None)


def lacking(cards: Iterable[WeightsCard], settings: WeightSettings) -> list[Lacking]:
    """All files that scorers need, that are not here and can be had: for each its own, then those of what its head sits on.

    Raises:
        WeightsError: There is no folder for them.
    """
    found: dict[tuple[Path, str], Lacking] = {}  # two scorers may use the same file
    for card in cards:
        needed = [] if find_weights(card, settings) else [preferred_form(card)]
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
    others = [
        each
        for each in lacking([card], settings)
        if (each.folder, each.file.name) != (first.folder, file.name)
    ]
    if settings.allow_download and by_hand_only(file):  # what is on a hub comes by itself
        others = [each for each in others if by_hand_only(each.file)]
    return in_words([first, *others])


def in_words(files: Sequence[Lacking]) -> str:
    """How a person gets files, in one sentence without a full stop."""
    if len(files) == 1:
        return f"To get it by hand, {files[0].text}"
    steps = "; ".join(f"{number}) {each.text}" for number, each in enumerate(files, 1))
    return f"To get all {len(files)} files by hand, {steps}"
