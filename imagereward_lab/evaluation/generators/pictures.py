"""Pictures of several generators, matched by their prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from imagereward_core.cli.exits import UsageError
from imagereward_core.images.decode import open_image
from imagereward_core.plain import count_of

from ...data.ranking import Ranking
from ..scoring import Failure, Images


class MatchError(UsageError):
    """Pictures of generators, or what is said about them, cannot be brought together."""


class PromptOf(Protocol):
    """Finds the prompt of a picture."""

    how: str
    """In what way, in words that may follow "matched by"."""

    def __call__(self, picture: Path, folder: Path) -> tuple[str, str]:
        """The prompt, or why there is none; the other text is empty.

        Args:
            picture: The file.
            folder: That of its generator.
        """


@dataclass(frozen=True)
class Found:
    """A picture with its prompt.

    Attributes:
        generator: Whose it is.
        prompt: What it was made for.
        image: Its name, as :class:`~..scoring.Images` knows it.
    """

    generator: str
    prompt: str
    image: str


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What all generators made for the same prompts.

    Attributes:
        generators: Their names.
        rankings: For each prompt that all of them have one without ranks: the pictures, and as ``sources`` whose they are.
        images: Where pictures are read from.
        how: How prompts were found.
        unmatched: Pictures without a prompt, with the reason.
        lacking: For each generator how many prompts it lacks that another one has.
        partial: Prompts that only some generators have.
        pictures_left: Pictures of these.
    """

    generators: tuple[str, ...]
    rankings: tuple[Ranking, ...]
    images: Images
    how: str
    unmatched: tuple[Failure, ...] = ()
    lacking: Mapping[str, int]
    partial: int = 0
    pictures_left: int = 0

    def sentence(self) -> str:
        """What was left out of the comparison; empty where nothing was."""
        if not self.partial:
            return ""
        who = ", ".join(f"{name} lacks {number:,}" for name, number in self.lacking.items() if number)
        return (
            f"{count_of(self.partial, 'prompt')} with {count_of(self.pictures_left, 'picture')} left out of all comparisons, because only "
            f"some of the generators have pictures for {'it' if self.partial == 1 else 'them'}: {who}."
        )


class Files:
    """Pictures known by their paths, as the command line led to them."""

    def open(self, name: str) -> Image.Image:
        """See :class:`~..scoring.Images`."""
        return open_image(name)

    def path(self, name: str) -> Path:
        """See :class:`~..scoring.Images`."""
        return Path(name)


def matched(
    generators: Sequence[str],
    found: Iterable[Found],
    images: Images,
    how: str,
    unmatched: Sequence[Failure] = (),
) -> Matched:
    """Brings pictures together by prompt; prompts that differ in nothing but spaces are one.

    Raises:
        MatchError: No prompt has pictures of all generators.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    written: dict[str, str] = {}
    for each in found:
        key = " ".join(each.prompt.split())
        written.setdefault(key, each.prompt)
        names = groups.setdefault(key, {}).setdefault(each.generator, [])
        if each.image not in names:
            names.append(each.image)
    rankings, pictures_left = [], 0
    lacking = dict.fromkeys(generators, 0)
    for key, by_generator in groups.items():
        if len(by_generator) < len(generators):
            pictures_left += sum(map(len, by_generator.values()))
            for name in generators:
                lacking[name] += name not in by_generator
            continue
        pairs = [(image, name) for name in generators for image in by_generator[name]]
        rankings.append(
            Ranking(
                written[key], tuple(image for image, _ in pairs), sources=tuple(name for _, name in pairs)
            )
        )
    if not rankings:
        raise MatchError(_nothing(generators, groups, how, unmatched))
    return Matched(
        generators=tuple(generators),
        rankings=tuple(rankings),
        images=images,
        how=how,
        unmatched=tuple(unmatched),
        lacking=lacking,
        partial=len(groups) - len(rankings),
        pictures_left=pictures_left,
    )


def _nothing(
    generators: Sequence[str],
    groups: Mapping[str, Mapping[str, object]],
    how: str,
    unmatched: Sequence[Failure],
) -> str:
    counts = {name: sum(name in each for each in groups.values()) for name in generators}
    had = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    why = f" Of one picture: {unmatched[0].reason}." if unmatched else ""
    return (
        f"no prompt has pictures of all {len(generators)} generators, so that nothing can be compared. Matched by {how}; prompts found: "
        f"{had}; pictures without one: {len(unmatched):,}.{why} Give --table or --benchmark where the pictures do not say their prompts"
    )
