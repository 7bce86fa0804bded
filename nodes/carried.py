"""Lists that follow the scores through a node: checked against them, picture by picture or clip by clip, and reordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

from .clips import Clips, Pieces, latent_pieces, mask_pieces
from .host.outputs import blocked, listed
from .links import ScoredBatch
from .streams import Items, Latents, Masks, Pictures, Stream

Shown = Union[Pictures, Clips]


def pictures_of(scored: ScoredBatch, images: Any, changed: bool) -> Shown:
    """The pictures, or the clips, that the scores belong to.

    Args:
        scored: The scores.
        images: The input, as a list.
        changed: Whether pictures may differ from those that were scored.

    Raises:
        GraphError: They are others, or of another number.
    """
    shown: Shown = Clips(images, [clip.length for clip in scored.clips]) if scored.clips else Pictures(images)
    scored.check_pictures(shown.singles, only_count=changed)
    return shown


class Carried:
    """The four inputs that follow the scores, checked against them.

    Args:
        scored: The scores.
        images, latents, masks, items: Inputs as lists; None where not connected.
        changed: Whether pictures may differ from those that were scored.

    Raises:
        GraphError: Something has another number of entries than the scores, or the pictures are others.
    """

    NAMES = ("images", "latents", "masks", "items")

    def __init__(
        self, scored: ScoredBatch, images: Any, latents: Any, masks: Any, items: Any, changed: bool = False
    ) -> None:
        lengths = [clip.length for clip in scored.clips]
        self.streams: list[Stream | None] = [
            pictures_of(scored, images, changed) if images else None,
            _latents(latents, lengths) if latents else None,
            _masks(masks, lengths, len(scored)) if masks else None,
            Items(items, len(scored)) if items else None,
        ]
        for name, stream in zip(self.NAMES, self.streams):
            if stream is not None:
                scored.check_number(stream.number, name)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """The four outputs; what is not connected or empty blocks the nodes behind it."""
        chosen = [int(index) for index in indexes]
        return [
            blocked(
                f"nothing is connected to the input '{name}' of this node, so its output '{name}' is empty. Connect it."
            )
            if stream is None
            else listed(stream.take(chosen))
            for name, stream in zip(self.NAMES, self.streams)
        ]


def _latents(given: Any, lengths: list[int]) -> Stream:
    latents = Latents(given)
    return Pieces(latent_pieces(latents, lengths)) if lengths else latents


def _masks(given: Any, lengths: list[int], number: int) -> Stream:
    masks = Masks(given, number)
    return Pieces(mask_pieces(masks, lengths)) if lengths else masks
