"""What may be asked for as a scorer, with what a program wants to know about it."""

from __future__ import annotations

from typing import Any


def offered() -> list[dict[str, Any]]:
    """One entry per scorer, blend or checkpoint of the models folders; nothing is loaded or downloaded."""
    from imagereward_core.weights.cards import CARDS
    from imagereward_core.weights.locate import find_weights

    from ..loaded import choices, request_from_settings, weight_settings

    where = weight_settings(request_from_settings())
    entries = []
    for name in choices():
        card = CARDS.get(name)
        if card is None:  # a saved blend, or a checkpoint that lies here under a name of its own
            entries.append({"id": name, "title": name, "present": not name.lower().startswith("blend:")})
            continue
        entries.append(
            {
                "id": card.id,
                "title": card.title,
                "summary": card.summary,
                "paper": card.paper,
                "licence": card.licence,
                "token_limit": card.token_limit,
                "needs_prompt": card.needs_prompt,
                "typical_range": list(card.typical_range),
                "present": find_weights(card, where) is not None,
                "download_size": card.download_size,
            }
        )
    return entries
