"""What people said about pictures side by side: one is the best of those shown, or all are equally good."""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Comparison(Generic[Name]):
    """One answer about pictures shown together.

    Attributes:
        images: Those shown, at least two, each once; numbers or any names.
        winner: The best of them; None where all are equally good.

    Raises:
        ValueError: Fewer than two pictures, one of them twice, or a winner that was not shown.

    >>> Comparison(("a", "b", "c"), winner="b").winner
    'b'
    """

    images: tuple[Name, ...]
    winner: Name | None

    def __post_init__(self) -> None:
        if len(self.images) < 2 or len(set(self.images)) < len(self.images):
            raise ValueError(f"found the pictures {self.images!r}; expected at least two, each once")
        if self.winner is not None and self.winner not in self.images:
            raise ValueError(f"found the winner {self.winner!r}; expected None or one of {self.images!r}")

    def among(self, known: Container[Name]) -> Comparison[Name] | None:
        """What it says of those that are known, by Luce's axiom; None where that is nothing.

        >>> Comparison(("a", "b", "gone"), winner="b").among("ab").images
        ('a', 'b')
        >>> Comparison(("a", "b", "gone"), winner="gone").among("ab") is None
        True
        """
        images = tuple(image for image in self.images if image in known)
        if len(images) == len(self.images):
            return self
        if len(images) < 2 or not (self.winner is None or self.winner in images):
            return None
        return Comparison(images, self.winner)


def comparisons_of_ranking(places: Sequence[Sequence[Name]]) -> list[Comparison[Name]]:
    """The comparisons that a ranking stands for, best place first; pictures at one place are equally good, empty places say nothing.

    A picture that is alone at its place is the best of itself and all that are worse, which makes the likelihood of the whole that of
    Plackett and Luce. Of several at one place each is, and together they are a tie.

    >>> [(each.images, each.winner) for each in comparisons_of_ranking([["a"], [], ["b", "c"], ["d"]])]
    [(('a', 'b', 'c', 'd'), 'a'), (('b', 'd'), 'b'), (('c', 'd'), 'c'), (('b', 'c'), None)]

    Raises:
        ValueError: A picture stands at two places.
    """
    groups = [tuple(place) for place in places if place]
    every = [image for group in groups for image in group]
    if len(set(every)) < len(every):
        raise ValueError("found a picture at two places of a ranking; expected each once")
    found = []
    for at, group in enumerate(groups):
        worse = tuple(image for later in groups[at + 1 :] for image in later)
        if worse:
            found += [Comparison((image, *worse), winner=image) for image in group]
        if len(group) > 1:
            found.append(Comparison(group, winner=None))
    return found
