"""FID of each generator's pictures against a folder of others (arXiv 1706.08500), beside the scores as in Table 4."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.metrics.frechet import Moments, frechet_distance
from imagereward_core.plain import count_of

from ...data.ranking import Ranking
from ...figures.document import Figure, Section, Table
from ...figures.estimates import Estimate
from ..scoring import Images

Features = Callable[[Sequence[Image.Image]], NDArray[np.float32]]
BATCH = 16
STEADY = 10_000
"""With fewer pictures FID is too high by an amount that depends on how many there are."""


@dataclass(frozen=True)
class Distances:
    """FID by generator.

    Attributes:
        values: The lower the nearer to the reference; NaN for fewer than two pictures.
        counts: Pictures of each generator.
        reference: Pictures of the reference.
        unreadable: Pictures that could not be read.
    """

    values: Mapping[str, float]
    counts: Mapping[str, int]
    reference: int
    unreadable: int


def moments_of(
    images: Images,
    names: Sequence[str],
    features: Features,
    width: int,
    tell: Callable[[], None] = lambda: None,
) -> Moments:
    """Mean and covariance of the features of pictures; those that cannot be read are left out.

    Args:
        images: Where pictures are read from.
        names: Of the pictures.
        features: Features of pictures of one size, [N, width].
        width: Numbers in one feature.
        tell: Called after each picture.
    """
    made = Moments(width)
    waiting: dict[tuple[int, int], list[Image.Image]] = {}
    for name in names:
        try:
            image = images.open(name).convert("RGB")
        except ImageError:
            tell()
            continue
        batch = waiting.setdefault(image.size, [])
        batch.append(image)
        # Pictures of many sizes must not pile up.
        if len(batch) == BATCH or sum(map(len, waiting.values())) >= 4 * BATCH:
            made.add(features(waiting.pop(max(waiting, key=lambda size: len(waiting[size])))))
        tell()
    for batch in waiting.values():
        made.add(features(batch))
    return made


def pictures_by_generator(generators: Sequence[str], rankings: Sequence[Ranking]) -> dict[str, list[str]]:
    """Names of every generator's pictures, each once."""
    names: dict[str, dict[str, None]] = {name: {} for name in generators}
    for ranking in rankings:
        for image, source in zip(ranking.images, ranking.sources):
            names[source][image] = None
    return {generator: list(found) for generator, found in names.items()}


def distances(
    images: Images,
    pictures: Mapping[str, Sequence[str]],
    reference: Moments,
    reference_lacks: int,
    features: Features,
    tell: Callable[[], None] = lambda: None,
) -> Distances:
    """FID of every generator.

    Args:
        images: Where its pictures are read from.
        pictures: Their names, by generator.
        reference: Of the other pictures.
        reference_lacks: How many of these could not be read.
        features: As for :func:`moments_of`.
        tell: Called after each picture.
    """
    values, counts = {}, {}
    for name, names in pictures.items():
        moments = moments_of(images, names, features, len(reference.mean), tell)
        enough = min(moments.count, reference.count) > 1
        values[name] = frechet_distance(reference, moments) if enough else math.nan
        counts[name] = moments.count
    lacking = reference_lacks + sum(map(len, pictures.values())) - sum(counts.values())
    return Distances(values, counts, reference.count, lacking)


def fid_section(found: Distances, source: str) -> Section:
    """FID as a section.

    Args:
        found: By generator.
        source: Name of the folder of the reference.
    """
    figures = [
        Figure.made("fid", "FID", Estimate(value, count=found.counts[name]), "pictures", group=name)
        for name, value in found.values.items()
    ]
    order = sorted(found.values, key=lambda name: (math.isnan(found.values[name]), found.values[name]))
    rows = [
        (
            name,
            "-" if math.isnan(found.values[name]) else f"{found.values[name]:.2f}",
            f"{found.counts[name]:,}",
        )
        for name in order
    ]
    sentences = [f"The reference is {source}, with {count_of(found.reference, 'picture')}."]
    fewest = min([found.reference, *found.counts.values()])
    if fewest < STEADY:
        sentences.append(
            f"There are {count_of(fewest, 'picture')} on one side. With fewer than {STEADY:,} FID is too high, the more so the fewer there "
            "are: compare these values with one another alone, not with published ones."
        )
    if len(set(found.counts.values())) > 1:
        sentences.append(
            "The generators have different numbers of pictures, and those with fewer have too high a FID for that alone."
        )
    if found.unreadable:
        sentences.append(f"{count_of(found.unreadable, 'picture')} could not be read and were left out.")
    return Section(
        "fid",
        "FID",
        "How far a generator's pictures are, as a crowd, from those of a reference: the distance between two clouds of features of the "
        "Inception network. Lower is nearer, 0 is the same. It reads no prompts and says nothing about single pictures; the paper "
        "finds that its order hardly agrees with that of people.",
        [Table(("Generator", "FID", "Pictures"), rows)],
        figures,
        sentences,
    )
