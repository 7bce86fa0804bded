"""The key of a number: scorer, weights and preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..store.records import ScorerKey
from ..store.scorer import StoredScorer

if TYPE_CHECKING:
    from ...scorers.engine import PictureScorer

_PRECISIONS = {"torch.float32": "", "torch.bfloat16": "/bf16", "torch.float16": "/fp16"}


@dataclass(frozen=True)
class Voice:
    """A scorer with its number in the library, and whether its numbers depend on the prompt."""

    number: int
    scorer: PictureScorer
    reads_prompt: bool


def key_of(scorer: PictureScorer | StoredScorer) -> ScorerKey:
    """The key under which a library keeps numbers of ``scorer``."""
    if isinstance(scorer, StoredScorer):
        return scorer.key
    spec, published = scorer.spec, scorer.card.image
    if spec == published:
        way = "reference"
    elif spec == published.whole_picture():
        way = "whole-picture"
    else:
        way = f"{spec.framing}-{spec.size}-{spec.resizing}"
    dtype = str(scorer.runtime.dtype)
    return ScorerKey(scorer.card.id, scorer.revision, way + _PRECISIONS.get(dtype, f"/{dtype}"))
