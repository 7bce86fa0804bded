"""One card per checkpoint. A new scorer begins with a file here."""

from __future__ import annotations

from ...errors import UnknownScorerError
from ..card import ScorerCard
from .demo import DEMO
from .imagereward import IMAGEREWARD

CARDS: dict[str, ScorerCard] = {card.id: card for card in (IMAGEREWARD, DEMO)}


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
