"""Answers to quick questions wherever they were given: beside one's own library, and beside others that are about the same pictures.

The WebUI's tab keeps one library for all folders in its data folder, ``imagereward annotate FOLDER`` one in the folder itself. Each writes
to its own file of answers and reads them all, so that an answer is there once and found everywhere. Of files that lie in a folder of
pictures nobody knows who wrote them; what cannot be read is told to the log and costs its own answers alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import CuratorError
from ..files import STORE_FOLDER
from ..files.values import absolute
from ..ranking import QuickRanking
from .answers import FILE_NAME, AnswerStore, StoredAnswer, ranking_of
from .places import TAB_FOLDER, places_above

logger = logging.getLogger(__name__)
T = TypeVar("T")


def places_beside(own: Path, folders: Iterable[Path]) -> tuple[Path, ...]:
    """Places of other files of answers that may be about pictures in ``folders``: as of :func:`.places.places_above`."""
    own = absolute(own)
    return tuple(
        dict.fromkeys(
            place
            for folder in folders
            for place in places_above(absolute(folder), (STORE_FOLDER, TAB_FOLDER), FILE_NAME)
            if place != own
        )
    )


class SharedAnswers:
    """The answers in one's own place, to which new ones go, together with those beside. A context manager.

    Args:
        own: The folder of the library's store.
        folders: Folders of the pictures that are asked about.

    Raises:
        StoreError: One's own are damaged, of a newer version, or cannot be written.
    """

    def __init__(self, own: Path, folders: Iterable[Path]) -> None:
        self.own = AnswerStore.open(own)
        self.beside = places_beside(own, folders)

    def __enter__(self) -> SharedAnswers:
        return self

    def __exit__(self, *_: object) -> None:
        self.own.close()

    def answers(self, prompt: str | None) -> list[StoredAnswer]:
        """All answers about a prompt that hold, in the order they were given."""
        return sorted((each for _, each in self._placed(prompt)), key=lambda each: each.at)

    def _placed(self, prompt: str | None) -> list[tuple[Path | None, StoredAnswer]]:
        """Answers with the place they are in; None for one's own."""
        held: list[tuple[Path | None, StoredAnswer]] = [(None, each) for each in self.own.answers(prompt)]
        for place in self.beside:
            none: list[StoredAnswer] = []
            held += [(place, each) for each in looked(place, lambda store: store.answers(prompt), none)]
        return held

    def withdraw_last(
        self, prompt: str | None, images: Sequence[str], *, person: str = ""
    ) -> StoredAnswer | None:
        """Undoes the last answer by ``person`` about pictures, wherever it was given; returns it, None where there is none.

        Raises:
            StoreError: It cannot be written.
        """
        known = set(images)
        mine = [
            (each.at, place, each)
            for place, each in self._placed(prompt)
            if each.person == person and known.issuperset(each.images)
        ]
        for _, place, each in sorted(mine, key=lambda said: said[0], reverse=True):
            if withdraw(self.own, place, each.number):  # nobody else was quicker
                return each
        return None

    def ranking(
        self,
        prompt: str | None,
        images: Sequence[str],
        scores: Sequence[Sequence[float]] = (),
        *,
        seed: int = 0,
    ) -> QuickRanking:
        """The pictures of a prompt with what everybody answered about them; as :meth:`.answers.AnswerStore.ranking`."""
        return ranking_of(self.answers(prompt), images, scores, seed=seed)


def looked(place: Path, read: Callable[[AnswerStore], T], otherwise: T) -> T:
    """What ``read`` finds in the answers of another place, where nothing is written; ``otherwise`` where they cannot be read."""
    try:
        with AnswerStore.open(place, looking=True) as store:
            return read(store)
    except CuratorError as error:
        logger.warning("Answers beside these pictures are passed over: %s", error)
        return otherwise


def withdraw(own: AnswerStore, place: Path | None, number: int) -> bool:
    """Undoes an answer in one's own place (None) or in another; false where it does not hold any more."""
    if place is None:
        return own.withdraw(number)
    with AnswerStore.open(place) as store:
        return store.withdraw(number)
