"""Clips in a graph: a list of batches, each of them one thing, with latents and masks that belong to whole clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from comfy_api.latest import io

from ..imagereward_core.clips import FrameRule, Pooling
from .host.errors import GraphError, choice
from .host.outputs import one
from .inputs import meant, setting_input
from .schema import dropdown, entry
from .streams import Latents, Masks, Pictures, take_latents

if TYPE_CHECKING:
    from torch import Tensor

    from ..imagereward_core.clips import Which

T = TypeVar("T")

PICTURE, CLIP = "picture", "clip"
EACH = (PICTURE, CLIP)
FRAMES: Mapping[str, Which] = {
    "middle": "middle",
    "first": "first",
    "last": "last",
    "evenly spaced": "spread",
}


def clip_inputs() -> list[Any]:
    """Whether pictures or clips are scored, and by which frames; :func:`frame_rule` reads them."""
    return [
        dropdown(
            "score_each",
            EACH,
            "picture: every picture has a score of its own. clip: every batch of the list is one clip (a video) with one prompt "
            "and one score, and is sorted, filtered, picked and saved as a whole.",
            optional=True,
        ),
        setting_input(FrameRule, "which", "frames", FRAMES, folded=True, optional=True),
        setting_input(FrameRule, "count", "frame_count", folded=True, optional=True),
        setting_input(FrameRule, "pooling", "clip_score", folded=True, optional=True),
        entry(
            io.Int,
            "clip_length",
            "For clips: how many frames each has, where several lie in one batch, as VAE Decode gives them. 0: every batch is one.",
            default=0,
            min=0,
            max=100_000,
            optional=True,
            folded=True,
        ),
    ]


def frame_rule(score_each: Any, frames: Any, frame_count: Any, clip_score: Any) -> FrameRule | None:
    """What the inputs of :func:`clip_inputs` say; None where pictures are scored.

    Raises:
        GraphError: One of them is none of the choices.
    """
    if choice("score_each", one(score_each), EACH) == PICTURE:
        return None
    pooling: Any = choice("clip_score", one(clip_score), get_args(Pooling))
    return FrameRule(meant("frames", frames, FRAMES), max(1, int(one(frame_count))), pooling)


class Pieces:
    """A stream of things that are handed on whole, one for each clip."""

    def __init__(self, pieces: Sequence[Any]) -> None:
        self.pieces = list(pieces)

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.pieces)

    def take(self, indexes: Sequence[int]) -> list[Any]:
        """Some of them, as a list."""
        return [self.pieces[index] for index in indexes]


class Clips(Pieces):
    """IMAGE input that holds clips: a list of batches, or batches that several clips lie in one after another, as their ``lengths`` say.

    Raises:
        GraphError: Something else, or no frame at all.
    """

    def __init__(self, given: Sequence[Any], lengths: Sequence[int]) -> None:
        batches = [batch for batch in Pictures(given).batches if len(batch)]
        found = _pieces(
            batches, [len(batch) for batch in batches], lengths, lambda batch, rows: batch[list(rows)]
        )
        super().__init__(batches if found is None else found)

    @property
    def singles(self) -> list[Tensor]:
        """The clips [F, H, W, C]."""
        return self.pieces

    @classmethod
    def of_length(cls, given: Sequence[Any], length: int) -> Clips:
        """The clips of an input, each ``length`` frames long; 0 takes every batch for one.

        Raises:
            GraphError: A batch does not hold a whole number of clips.
        """
        if not length:
            return cls(given, ())
        cut = []
        for batch in Pictures(given).batches:
            if len(batch) % length:
                raise GraphError(
                    f"clip_length is {length}, but a batch holds {len(batch)} frames; expected a multiple of {length}. Set clip_length to "
                    "the frames of one clip, or to 0 where each batch is one."
                )
            cut += [batch[start : start + length] for start in range(0, len(batch), length)]
        return cls(cut, ())


def latent_pieces(latents: Latents, lengths: Sequence[int]) -> list[Any]:
    """Latents as one for each clip, or single ones where they do not fit."""
    sizes = [sum(which == at for which, _ in latents.places) for at in range(len(latents.dicts))]
    found = _pieces(latents.dicts, sizes, lengths, lambda latent, rows: take_latents(latent, list(rows)))
    return latents.dicts if found is None else found


def mask_pieces(masks: Masks, lengths: Sequence[int]) -> list[Any]:
    """Masks as one batch for each clip, or as they are where they do not fit."""
    sizes = [len(batch) for batch in masks.batches]
    found = _pieces(masks.batches, sizes, lengths, lambda batch, rows: batch[list(rows)])
    return masks.batches if found is None else found


def _pieces(
    values: Sequence[T],
    sizes: Sequence[int],
    lengths: Sequence[int],
    cut: Callable[[T, range], T],
) -> list[T] | None:
    """One value for each clip: each as it is, or cut out of one with as many entries as there are clips, or frames; None for neither."""
    if len(values) == len(lengths):
        return list(values)
    if len(values) != 1:
        return None
    spans = [1] * len(lengths) if sizes[0] == len(lengths) else list(lengths)
    if sizes[0] != sum(spans):
        return None
    starts = [sum(spans[:at]) for at in range(len(spans))]
    return [cut(values[0], range(start, start + span)) for start, span in zip(starts, spans)]
