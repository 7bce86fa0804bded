"""Which rankings are learnt from, and which a state is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...data.images import ImageSource
from ...data.ranking import Ranking
from ...data.ranking_set import RankingSet
from ...data.split import TRAIN, VALIDATION, SplitOptions, split_by_prompt
from ..errors import TrainingError
from .options import JobOptions


@dataclass(frozen=True)
class Splits:
    """Rankings to learn from and to judge by, each with its images."""

    train: Sequence[Ranking]
    validation: Sequence[Ranking]
    images: ImageSource
    validation_images: ImageSource
    sha256: str


def splits_of(data: RankingSet, judged: RankingSet | None, options: JobOptions) -> Splits:
    """Parts rankings by prompt into those to learn from and those to judge by; those for a test are in neither.

    Args:
        data: As read.
        judged: Other rankings to judge by; None takes them from ``data``.
        options: The share, and the seed.

    Raises:
        TrainingError: One of the two has nothing.
    """
    digest = data.sha256()
    if judged is not None:
        train = [each for each in data.rankings if each.split in ("", TRAIN)]
        found = Splits(train, judged.rankings, data.images, judged.images, digest + judged.sha256())
    else:
        named = {each.split for each in data.rankings}
        parted: Sequence[Ranking] = data.rankings
        if VALIDATION not in named:
            shares = SplitOptions(test=0.0, validation=options.validation, seed=options.config.seed)
            unsaid = [each for each in data.rankings if each.split in ("", TRAIN)]
            parted = split_by_prompt(unsaid, shares, anew=True)
        train = [each for each in parted if each.split in ("", TRAIN)]
        judge = [each for each in parted if each.split == VALIDATION]
        found = Splits(train, judge, data.images, data.images, digest)
    if not found.train or not found.validation:
        raise TrainingError(
            f"found {len(found.train):,} rankings to learn from and {len(found.validation):,} to validate on; expected some of each. Add "
            "rankings, give a larger --validation-share, or name others with --validation"
        )
    return found
