"""A report on a data set before hours of training: what is missing, damaged, there twice, tied, or in two splits."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any

from imagereward_core.errors import ImageError
from imagereward_core.images.decode import open_bytes
from imagereward_core.images.identity import content_hash

from ..images import ImageSource, MissingImageError
from ..images.names import OutsideError
from ..prompts import prompt_key
from ..ranking import Ranking
from ..ranking_set import RankingSet
from ..split import SET_ASIDE
from .findings import Found

Progress = Callable[[int], None]
_AT_ONCE = 64


@dataclass
class Counts:
    """Numbers of a data set, or of one of its splits.

    Attributes:
        rankings: How many.
        prompts: Different prompts; letter case and spaces do not count.
        images: Different names of pictures.
        pairs: Strict pairs.
        ties: Pairs judged equally good.
    """

    rankings: int = 0
    prompts: int = 0
    images: int = 0
    pairs: int = 0
    ties: int = 0


@dataclass
class CheckReport:
    """What a check found.

    Attributes:
        whole: Numbers of the whole.
        splits: Numbers by split, in the order of their names; an empty name is none.
        sizes: How many rankings are of how many pictures.
        annotators: How many rankings each has made; an empty name is nobody known.
        unranked: Pictures in rankings that were not ranked.
        found: What is wrong.
        looked: Whether pictures were decoded, and not only looked for.
    """

    whole: Counts
    splits: dict[str, Counts]
    sizes: dict[int, int]
    annotators: dict[str, int]
    unranked: int
    found: Found
    looked: bool = True


@dataclass
class _Tally:
    rankings: int = 0
    pairs: int = 0
    ties: int = 0
    prompts: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)

    def add(self, ranking: Ranking) -> None:
        self.rankings += 1
        self.pairs += len(ranking.pairs)
        self.ties += len(ranking.ties)
        self.prompts.add(prompt_key(ranking.prompt))
        self.images.update(ranking.images)

    def counts(self) -> Counts:
        return Counts(self.rankings, len(self.prompts), len(self.images), self.pairs, self.ties)


def check_rankings(data: RankingSet, *, decode: bool = True, progress: Progress | None = None) -> CheckReport:
    """Checks rankings and every picture they name. Pictures are decoded one after another; none is kept.

    Args:
        data: The data set.
        decode: Whether to read and decode the pictures; otherwise they are only looked for.
        progress: Told how many pictures are done.
    """
    found = Found()
    for note in data.notes:
        found.add("left_out", note.where, note.reason)
    found.by_kind["left_out"].count = max(data.left_out, found.by_kind["left_out"].count)
    names = list(dict.fromkeys(name for ranking in data.rankings for name in ranking.images))
    contents = _look(data.images, names, found, decode, progress)
    whole, splits = _Tally(), defaultdict[str, _Tally](_Tally)
    for ranking in data.rankings:
        whole.add(ranking)
        splits[ranking.split].add(ranking)
    _check_each(data.rankings, contents, found)
    _check_splits(data.rankings, contents, found)
    return CheckReport(
        whole.counts(),
        {name: splits[name].counts() for name in sorted(splits)},
        dict(sorted(Counter(len(ranking.images) for ranking in data.rankings).items())),
        dict(Counter(ranking.annotator for ranking in data.rankings).most_common()),
        sum(rank == 0 for ranking in data.rankings for rank in ranking.ranks),
        found,
        decode,
    )


def _look(
    images: ImageSource, names: Sequence[str], found: Found, decode: bool, progress: Progress | None
) -> dict[str, Any]:
    """What stands for each picture: the hash of its pixels, else its name. Findings are in the order of the names."""
    contents: dict[str, Any] = {}
    first: dict[Any, str] = {}
    for done, (name, content, kind, reason) in enumerate(_each(images, names, decode), 1):
        if kind:
            found.add(kind, name, reason)
        elif content is not None:
            same = first.setdefault(content, name)
            if same != name:
                found.add("same_image", name, f"the same pixels as {same}")
        contents[name] = name if content is None else content
        if progress is not None:
            progress(done)
    return contents


def _each(
    images: ImageSource, names: Sequence[str], decode: bool
) -> Iterator[tuple[str, bytes | None, str, str]]:
    def look(name: str) -> tuple[str, bytes | None, str, str]:
        return (name, *_look_at(images, name, decode))

    rest = iter(names)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        while some := list(islice(rest, _AT_ONCE)):
            yield from pool.map(look, some)


def _look_at(images: ImageSource, name: str, decode: bool) -> tuple[bytes | None, str, str]:
    """Hash of the pixels, kind of finding, and reason."""
    try:
        if not decode:
            return None, *images.presence(name)
        data = images.read(name)
        if not data:
            return None, "empty", "0 bytes"
        return content_hash(open_bytes(data, name)), "", ""
    except OutsideError as error:
        return None, "outside", _reason(name, error)
    except MissingImageError as error:
        return None, "missing", _reason(name, error)
    except ImageError as error:
        return None, "unreadable", _reason(name, error)


def _reason(name: str, error: ImageError) -> str:
    return str(error).removeprefix(f"{name}: ")


def place_of(number: int, ranking: Ranking) -> str:
    """A ranking in messages: its number in the data set, its id where it has one, and the beginning of its prompt."""
    prompt = ranking.prompt if len(ranking.prompt) <= 40 else f"{ranking.prompt[:37]}..."
    return f"ranking {number}{f' ({ranking.id})' if ranking.id else ''}, {prompt!r}"


def _check_each(rankings: Sequence[Ranking], contents: dict[str, Any], found: Found) -> None:
    seen: dict[Any, int] = {}
    for number, ranking in enumerate(rankings, 1):
        where, order = place_of(number, ranking), ranking.order
        ranked = sum(map(bool, order))
        if len(ranking.images) < 2:
            found.add("group_under_two", where, "one picture; expected two or more")
        elif ranked < 2:
            found.add(
                "nothing_ranked", where, f"{ranked} of {len(order)} pictures ranked; expected two or more"
            )
        elif not ranking.pairs:
            found.add("all_tied", where, "all equally good, so that it trains nothing by pairs")
        shown = [contents[name] for name in ranking.images]
        if len(set(shown)) < len(shown):
            twice = next(
                name for name, content in zip(ranking.images, shown, strict=True) if shown.count(content) > 1
            )
            found.add("image_twice", where, f"{twice} is there more than once")
        key = (
            ranking.prompt,
            ranking.annotator,
            ranking.id,
            tuple(sorted(zip(map(str, shown), order, strict=True))),
        )
        before = seen.setdefault(_digest(key), number)
        if before != number:
            found.add("duplicate_ranking", where, f"the same as ranking {before}")


def _digest(key: Any) -> bytes:
    """Stands for a long key in a large table."""
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _check_splits(rankings: Sequence[Ranking], contents: dict[str, Any], found: Found) -> None:
    prompts: dict[str, dict[str, str]] = defaultdict(dict)
    images: dict[Any, dict[str, str]] = defaultdict(dict)
    for ranking in rankings:
        if ranking.split not in ("", SET_ASIDE):
            prompts[prompt_key(ranking.prompt)].setdefault(ranking.split, ranking.prompt)
            for name in ranking.images:
                images[contents[name]].setdefault(ranking.split, name)
    for where in prompts.values():
        if len(where) > 1:
            found.add("prompt_in_splits", next(iter(where.values())), f"in {', '.join(sorted(where))}")
    for where in images.values():
        if len(where) > 1:
            found.add("image_in_splits", next(iter(where.values())), f"in {', '.join(sorted(where))}")
