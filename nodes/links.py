"""The values of SCORES and SELECTION links: numbers, and which pictures they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..imagereward_core.plain import count_of
from ..imagereward_core.records import record
from ..imagereward_core.scores import Scores
from ..imagereward_core.selection import Selection
from .host.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor

    from ..imagereward_core.weights.card import ScorerCard

GRID = 96
"""At most this many rows and columns of a picture are looked at to tell it from others."""


@record(frozen=True)
class Clip:
    """Facts about a clip besides its score: how many frames it had when it was scored, and which of them were."""

    length: int
    frames: tuple[int, ...]


@record(frozen=True, eq=False)
class ScoredBatch:
    """Scores together with the pictures they belong to.

    Attributes:
        pictures: A fingerprint of each picture, in the order of the scores.
        members: For a blend, the scores of the scorers it is made of.
        basis: What has to be known to read the numbers, in words: what those of a blend or of clips rest on, that a scorer is a
            checkpoint of the user's own, or that it gives every picture one number.
        clips: Where clips were scored instead of pictures, one for each; else empty. A fingerprint is then one of all frames.
    """

    scores: Scores
    pictures: tuple[str, ...]
    card: ScorerCard
    members: tuple[Scores, ...] = ()
    basis: str = ""
    clips: tuple[Clip, ...] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    def counted(self, number: int) -> str:
        """So many of what was scored, in words: "1 picture", "3 clips"."""
        return count_of(number, self.noun)

    @property
    def noun(self) -> str:
        """The word for one of those that were scored."""
        return "clip" if self.clips else "picture"

    def take(self, indexes: Sequence[int]) -> ScoredBatch:
        """The scores of some of the pictures, in the order of ``indexes``."""
        return ScoredBatch(
            self.scores.take(indexes),
            tuple(self.pictures[index] for index in indexes),
            self.card,
            tuple(member.take(indexes) for member in self.members),
            self.basis,
            tuple(self.clips[index] for index in indexes) if self.clips else (),
        )

    def check_pictures(self, pictures: Sequence[Tensor], only_count: bool = False) -> None:
        """Makes sure that the scores belong to these pictures, or to these clips.

        Raises:
            GraphError: Their number differs, or, unless ``only_count``, they are other pictures or in another order.
        """
        self.check_number(len(pictures), f"{self.noun}s")
        if only_count:
            return
        wrong = [at for at, picture in enumerate(pictures) if fingerprint(picture) != self.pictures[at]]
        if wrong:
            listed = ", ".join(str(at + 1) for at in wrong[:5]) + (", ..." if len(wrong) > 5 else "")
            raise GraphError(
                f"these scores belong to another batch: {len(wrong)} of {self.counted(len(pictures))} (number {listed}) are not the ones "
                "that were scored, or stand in another order. Connect the images and the scores of the same node; if the pictures "
                "were only changed after scoring (upscaled, retouched), switch on changed_pictures."
            )

    def check_number(self, number: int, what: str) -> None:
        """Raises GraphError unless there is one of ``what`` for every score."""
        if number != len(self):
            given = f"{count_of(number, what.removesuffix('s'))} {'was' if number == 1 else 'were'}"
            raise GraphError(
                f"{given} given with the scores of {self.counted(len(self))}; expected one for every score, in the same order. Connect "
                "what belongs to the scored batch."
            )


@record(frozen=True, eq=False)
class ChosenBatch:
    """The decision of a filter about a batch, as indexes into it; ``pictures`` are the fingerprints of the batch."""

    selection: Selection
    pictures: tuple[str, ...]

    @property
    def is_kept(self) -> list[bool]:
        """For every picture whether it was kept."""
        kept = {int(index) for index in self.selection.kept}
        return [index in kept for index in range(len(self.pictures))]

    def check(self, scored: ScoredBatch) -> None:
        """Raises GraphError unless the decision was made about these scores."""
        if self.pictures != scored.pictures:
            raise GraphError(
                f"this selection was made among other pictures ({len(self.pictures)}) than those of these scores ({len(scored)}). Connect "
                "the selection together with the scores (and images) that went into Filter by Score, not with the kept ones."
            )


def fingerprint(picture: Tensor) -> str:
    """A short text that tells a picture [H, W, C] of floats, or a clip [F, H, W, C], from others: by size and a grid of 8-bit levels."""
    height, width = picture.shape[-3], picture.shape[-2]
    rows, columns = -(-height // GRID) or 1, -(-width // GRID) or 1
    sample = picture[..., ::rows, ::columns, :].detach().float().nan_to_num(0.0)
    levels = (sample * 255).clamp_(0, 255).byte().cpu().contiguous()
    digest = hashlib.blake2b(repr(tuple(picture.shape)).encode(), digest_size=16)
    digest.update(levels.numpy().tobytes())
    return digest.hexdigest()


def one_scored(given: object) -> ScoredBatch:
    """The one SCORES of an input, from a node that sees lists or from one that does not.

    Raises:
        GraphError: There are several, or it is something else.
    """
    listed = given if isinstance(given, list) else [given]
    if len(listed) != 1 or not isinstance(listed[0], ScoredBatch):
        found = f"{len(listed)} of them" if len(listed) != 1 else type(listed[0]).__name__
        raise GraphError(
            f"scores is {found}; expected the scores of one batch, from Score Images or a node behind it"
        )
    return listed[0]
