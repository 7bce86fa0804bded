"""A scorer that stands for stored numbers alone. Neither it nor what judges such numbers loads torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ...errors import CuratorError
from ...weights.cards import CARDS
from ...weights.own import stored_card
from .records import ScorerKey

if TYPE_CHECKING:
    from ...images.spec import ImageSpec
    from ...weights.card import ScorerCard

_WAYS, _PRECISIONS = ("reference", "whole-picture"), ("", "bf16", "fp16")


class NoNumbersError(CuratorError):
    """A library holds no numbers by the scorer that was asked for."""


class StoredScorer:
    """A scorer as a library knows it. What it has scored can be judged; it scores nothing new.

    Its card is by default what is known without its weights.

    Raises:
        NoNumbersError: Its numbers were made in a way this version does not know.
    """

    def __init__(self, key: ScorerKey, card: ScorerCard | None = None) -> None:
        # One that is not registered was a checkpoint of the user's own.
        card = card or CARDS.get(key.scorer) or stored_card(key.scorer)
        self.key, self.card, self.revision = key, card, key.revision
        self.way, _, precision = key.preprocessing.partition("/")
        if self.way not in _WAYS or precision not in _PRECISIONS:
            raise NoNumbersError(
                f"the library holds numbers by {key.scorer} that were made by {key.preprocessing!r}; expected reference or whole-picture, "
                "in fp32, bf16 or fp16. A newer version may have made them"
            )

    @property
    def spec(self) -> ImageSpec:
        """How this scorer's pictures were prepared."""
        return self.card.image if self.way == "reference" else self.card.image.whole_picture()

    def score(self, images: Any, prompts: Any) -> NoReturn:
        """Never: there is no network behind it."""
        raise NoNumbersError(
            f"{self.card.id} stands here for stored numbers and cannot score pictures; load it first"
        )

    rewards = score
    notice = ""

    def warnings(self) -> list[str]:
        """What its weights are like is no longer known."""
        return []
