"""Lists the scorers that a request may name, with facts for programs."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagereward_core.plain import encodable

log = logging.getLogger(__name__)


def offered() -> list[dict[str, Any]]:
    """One entry per scorer, blend or checkpoint of the models folders; nothing is loaded or downloaded."""
    from imagereward_core.errors import CuratorError
    from imagereward_core.scorers.meaning import flat_notice, own_notice
    from imagereward_core.scorers.registry import card_of, is_checkpoint
    from imagereward_core.weights.cards import CARDS
    from imagereward_core.weights.locate import is_ready

    from ..scorer_cache import checkpoint_path, choices, request_from_settings, weight_settings

    where = weight_settings(request_from_settings())
    entries = []
    for name in choices():
        card, remarks = CARDS.get(name), []
        if card is None and is_checkpoint(name):
            try:
                path = Path(checkpoint_path(name))
                card = card_of(path, where)[0]
                remarks = [own_notice(card), flat_notice(path, card.id)]
                card = replace(card, id=name)  # it is asked for by the name under which it lies here
            except CuratorError as error:
                log.warning("%s", error)
        if card is None:  # a saved blend, or a checkpoint whose own card cannot be read
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
                "typical_range": list(card.typical_range or ()),
                "present": card.own or is_ready(card, where),
                "download_size": card.download_size,
                "own": card.own,
                "remarks": [remark for remark in remarks if remark],
            }
        )
    return [encodable(entry) for entry in entries]  # a file's name may be undecodable
