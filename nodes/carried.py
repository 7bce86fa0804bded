"""Lists that follow the scores through a node: checked against them, picture by picture or clip by clip, and reordered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

from .clips import Clips, Pieces, latent_pieces, mask_pieces
from .host.outputs import blocked, listed, one
from .links import ScoredBatch
from .streams import Items, Latents, Masks, Pictures, Stream

Shown = Union[Pictures, Clips]


def pictures_of(scored: ScoredBatch, images: Any, changed: bool) -> Shown:
    """The pictures, or the clips, of an input that the scores belong to; ``changed`` where they may differ from those scored.

    Raises:
        GraphError: They are others, or of another number.
    """
    shown: Shown = Clips(images, [clip.length for clip in scored.clips]) if scored.clips else Pictures(images)
    scored.check_pictures(shown.singles, only_count=changed)
    return shown


class Carried:
    """The four inputs that follow the scores, checked against them. What is not connected is missing in ``given``, or None.

    Raises:
        GraphError: Something has another number of entries than the scores, or the pictures are others.
    """

    NAMES = ("images", "latents", "masks", "items")

    def __init__(self, scored: ScoredBatch, given: Mapping[str, Any]) -> None:
        images, latents, masks, items = map(given.get, self.NAMES)
        changed = bool(one(given.get("changed_pictures", False)))
        lengths = [clip.length for clip in scored.clips]
        self.streams: list[Stream | None] = [
            pictures_of(scored, images, changed) if images else None,
            _pieces(Latents(latents), lengths, latent_pieces) if latents else None,
            _pieces(Masks(masks, len(scored)), lengths, mask_pieces) if masks else None,
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


def _pieces(stream: Any, lengths: list[int], cut: Callable[[Any, list[int]], list[Any]]) -> Stream:
    """A stream, taken apart by clips where clips were scored."""
    return Pieces(cut(stream, lengths)) if lengths else stream
