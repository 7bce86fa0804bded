"""Rankings out of records of single pictures: those that belong together become one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..form import FieldError, ranking_of, whole_in
from ..notes import Notes
from ..ranking import Ranking


@dataclass
class _Group:
    where: str
    facts: dict[str, Any]
    images: list[str] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    ratings: list[dict[str, Any]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    problems: list[list[str]] = field(default_factory=list)
    missing: list[Any] = field(default_factory=list)


class Grouping:
    """Collects records of single pictures into rankings, in the order in which the first of each came.

    Only texts and numbers are kept; a picture is never read.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Group] = {}

    def add(
        self,
        key: Hashable,
        where: str,
        image: Any,
        rank: Any,
        facts: dict[str, Any],
        ratings: dict[str, Any] | None = None,
        source: str = "",
        problems: Any = None,
        missing: Any = None,
    ) -> None:
        """Adds a picture to the ranking of ``key``.

        Args:
            key: What belongs together.
            where: Place of the record, for messages.
            image: Its name.
            rank: 1 is best; None for none.
            facts: Fields of the ranking, of which the first record's count.
            ratings: What the picture was rated.
            source: What made it.
            problems: Problems that were ticked; None where nobody was asked.
            missing: Phrases of the prompt that are missing in it, likewise.

        Raises:
            FieldError: Something in the record is wrong. It is not added, and spoils nothing.
        """
        whole = 0 if rank is None else whole_in("rank", rank, least=1)
        given = {**facts, "images": [image], "ratings": [ratings or {}], "sources": [source]}
        ranking_of(given if problems is None else {**given, "problems": [problems]})
        group = self._groups.setdefault(key, _Group(where, facts))
        group.images.append(image)
        group.ranks.append(whole)
        group.ratings.append(ratings or {})
        group.sources.append(source)
        group.problems.append([] if problems is None else problems)
        group.missing.append([] if missing is None else missing)

    def rankings(self, notes: Notes) -> list[Ranking]:
        """The rankings; those that are none are noted. Nothing is kept afterwards."""
        groups, self._groups = self._groups, {}
        found = []
        for group in groups.values():
            data = {**group.facts, "images": group.images, "ranks": group.ranks}
            if any(group.ratings):
                data["ratings"] = group.ratings
            if any(group.sources):
                data["sources"] = group.sources
            for name, lists in (("problems", group.problems), ("missing", group.missing)):
                if any(lists):
                    data[name] = lists
            try:
                found.append(ranking_of(data))
            except FieldError as error:
                notes.add(group.where, str(error))
        return found


def of_several(rankings: Iterable[Ranking], notes: Notes) -> Iterator[Ranking]:
    """Those that say which of two pictures is better: of a few classes, in which equal ones are no ties."""
    for ranking in rankings:
        if ranking.pairs:
            yield ranking
        else:
            notes.add(
                ranking.images[0],
                f"{len(ranking.images)} of one prompt, none better than another; expected some that differ",
            )


def rank_of_stars(stars: int) -> int:
    """The rank that 0 to 5 stars stand for: more are better."""
    return 6 - stars
