"""One card per scorer. A new scorer begins with a file here."""

from __future__ import annotations

from ...errors import UnknownScorerError
from ..card import ScorerCard, WeightsCard
from .aesthetic import AESTHETIC, AESTHETIC_V25, SIGLIP
from .blip import BLIP
from .clip import CLIP
from .demo import DEMO
from .hps import HPSV2, HPSV21
from .imagereward import IMAGEREWARD
from .mps import MPS, MPS_03
from .pickscore import PICKSCORE

CARDS: dict[str, ScorerCard] = {
    card.id: card
    for card in (
        IMAGEREWARD,
        CLIP,
        BLIP,
        AESTHETIC,
        PICKSCORE,
        HPSV2,
        HPSV21,
        MPS,
        MPS_03,
        AESTHETIC_V25,
        DEMO,
    )
}

BACKBONES: dict[str, WeightsCard] = {SIGLIP.id: SIGLIP}
"""Weights that are no scorer but that heads sit on."""


def get_card(scorer_id: str) -> ScorerCard:
    """The card registered under ``scorer_id`` (letter case does not matter).

    Raises:
        UnknownScorerError: No scorer has that name; the text lists those that exist.
    """
    for card in CARDS.values():
        if card.id.lower() == scorer_id.lower():
            return card
    raise UnknownScorerError(
        f"no scorer is called {scorer_id!r}; expected one of {', '.join(CARDS)} or the path of a checkpoint"
    )


def backbone_of(card: WeightsCard) -> WeightsCard | None:
    """The card of the picture encoder that ``card``, a head, sits on; None for scorers that are whole by themselves."""
    name = card.backbone if isinstance(card, ScorerCard) else ""
    return (BACKBONES.get(name) or CARDS[name]) if name else None
