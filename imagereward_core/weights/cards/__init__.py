"""One file of cards for each kind of scorer, found by lying here. A new scorer begins with a file here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ...errors import UnknownScorerError
from ..card import ScorerCard, WeightsCard

_MODULES = [import_module(f".{module.name}", __name__) for module in iter_modules(__path__)]
_ALL = {
    value.id: value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, WeightsCard)
}
_SCORERS = [card for card in _ALL.values() if isinstance(card, ScorerCard)]

CARDS = {card.id: card for card in sorted(_SCORERS, key=lambda card: (card.place, card.id))}
"""Every registered scorer, the default first."""
_UNDER = {card.backbone for card in _SCORERS}
BACKBONES = {name: card for name, card in _ALL.items() if name not in CARDS and name in _UNDER}
"""Weights that are no scorer but that heads sit on."""
OTHERS = {name: card for name, card in _ALL.items() if name not in CARDS and name not in _UNDER}
"""Weights that serve something else than scoring pictures."""


def get_card(scorer_id: str) -> ScorerCard:
    """The card of a name, in any letter case; UnknownScorerError, which lists those that exist, where there is none."""
    for card in CARDS.values():
        if card.id.lower() == scorer_id.lower():
            return card
    raise UnknownScorerError(
        f"no scorer is called {scorer_id!r}; expected one of {', '.join(CARDS)} or the path of a checkpoint"
    )


def other_card(name: str) -> WeightsCard | None:
    """The card of weights that are no scorer's, by their name in any letter case; None where there are none."""
    return next((card for each, card in OTHERS.items() if each.lower() == name.lower()), None)


def backbone_of(card: WeightsCard) -> WeightsCard | None:
    """The card of the picture encoder that ``card``, a head, sits on; None for scorers that are whole by themselves."""
    name = card.backbone if isinstance(card, ScorerCard) else ""
    return (BACKBONES.get(name) or CARDS[name]) if name else None
