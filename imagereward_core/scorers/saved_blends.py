"""Blends by name: those saved, found in several models folders one after another as weights are, and those given as text."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .blend import Blend
from .blend_file import BlendFile, parse_blend, same_name
from .blend_names import BLEND_PREFIX, BlendError, UnknownBlendError
from .registry import card_of, is_checkpoint

if TYPE_CHECKING:
    from ..weights.card import ScorerCard
    from ..weights.locate import WeightSettings

log = logging.getLogger(__name__)


class SavedBlends:
    """All blends of some models folders, in the order in which these are searched; of two with one name the earlier counts.

    A file that cannot be read hides nothing in other folders; the error about a blend that is nowhere names it.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.files = [BlendFile(folder) for folder in dict.fromkeys(folders)]

    def names(self) -> list[str]:
        """Their names, in order."""
        found: dict[str, str] = {}
        for file in self.files:
            try:
                for name in file.load()[0]:
                    found.setdefault(same_name(name), name)
            except BlendError as error:
                log.warning("saved blends are not listed: %s", error)
        return list(found.values())

    def get(self, name: str) -> Blend:
        """The blend of that name, in any letter case; BlendError where there is none, or it cannot be read."""
        wanted, elsewhere = same_name(name), []
        for file in self.files:
            try:
                blends, problems = file.load()
            except BlendError as error:
                elsewhere.append(str(error))
                continue
            saved = next((each for each in (*blends, *problems) if same_name(each) == wanted), None)
            if saved in blends:
                return blends[saved]
            if saved is not None:
                raise BlendError(problems[saved])
            if file.path.is_file():
                elsewhere.append(f"in {file.path} there is {', '.join(blends) or 'none'}")
        where = "; ".join(elsewhere) or f"none is saved in {', '.join(str(file.path) for file in self.files)}"
        raise UnknownBlendError(f"no blend is called {name!r}: {where}")


def blend_of(name: str | os.PathLike[str], blends: SavedBlends | None = None) -> Blend | None:
    """The blend that ``name`` stands for, its text or ``blend:NAME`` of ``blends``; None for a scorer, BlendError where there is none."""
    text = os.fspath(name)
    if text.lower().startswith(BLEND_PREFIX):
        if blends is None:
            raise UnknownBlendError(
                f"{text}: no place for saved blends is set here; give the blend as text, such as A=0.7,B=0.3"
            )
        return blends.get(text[len(BLEND_PREFIX) :])
    if "=" not in text or is_checkpoint(text):
        return None
    try:
        return parse_blend(text)
    except BlendError as error:
        raise UnknownBlendError(str(error)) from error


def needed_cards(
    names: Iterable[str | os.PathLike[str]], settings: WeightSettings, blends: SavedBlends | None = None
) -> list[tuple[ScorerCard, Path | None]]:
    """The cards of all scorers that ``names`` need, each once; those of checkpoints with the path of the file. Nothing is loaded.

    Raises:
        UnknownScorerError: There is no such scorer.
        BlendError: There is no such blend, or its text cannot be read.
        WeightsError: There is no such file, or its own card cannot be used.
    """
    found: dict[tuple[str, Path | None], tuple[ScorerCard, Path | None]] = {}
    for name in names:
        blend = blend_of(name, blends)
        members = [member.scorer for member in blend.members] if blend else [os.fspath(name)]
        for member in members:
            card, path = card_of(member, settings)
            found.setdefault((card.id, path), (card, path))
    return list(found.values())
