"""A plan of curation in numbers and in words, for a person to approve."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...files.values import shown_name
from ...plain import count_of
from .options import CurateOptions
from .plan import Curation, Fate

if TYPE_CHECKING:
    from .carry_out import Carried

VERBS = {
    "copy": ("copy", "copied"),
    "hardlink": ("hard link", "hard-linked"),
    "symlink": ("link", "linked"),
    "move": ("move", "moved"),
    "stay": ("leave", "left"),
}
"""The verb of each action, before and after it is done."""

_STAYS: tuple[tuple[Fate, str, str, str], ...] = (
    ("there", "is", "are", "in place already"),
    (
        "earlier",
        "was",
        "were",
        "sorted otherwise before, by an earlier run or by hand: left there, unless sorting anew is asked for",
    ),
    ("left", "stays", "stay", "in place, as asked for"),
    ("fresh", "changed", "changed", "just now: looked at later"),
    (
        "linked",
        "stays",
        "stay",
        "in place: symbolic links to other pictures of the folder, and what they lead to, are not moved, so that no link leads nowhere. "
        "Copy them, or remove the links first",
    ),
    ("unscored", "has", "have", "no score: left in place"),
)
"""Of pictures that stay where they are: the fate, the verb for one and for several, and why."""


@dataclass(frozen=True)
class NameSummary:
    """The pictures under one name, which is empty for those without a score: how many have each fate, their scores, and where they go."""

    name: str
    fates: Counter[Fate]
    best: float
    worst: float
    folder: Path | None

    @property
    def pictures(self) -> int:
        """How many there are."""
        return sum(self.fates.values())


@dataclass(frozen=True)
class Example:
    """One picture of a plan: names as seen from the curated folder, ``target`` empty where it stays; without a score NaN and no name."""

    name: str
    score: float
    file: str
    target: str
    reason: str


def rule_words(options: CurateOptions) -> str:
    """The title of a run: what was asked for, in a few words."""
    rule, conditions = options.rule, options.rule.conditions
    words = [
        text.format(value)
        for text, value in (
            ("the best {}", conditions.top_k),
            ("the best {:g} %", conditions.top_percent),
            ("score from {:g}", conditions.min_score),
            ("percentile from {:g}", conditions.min_percentile),
            ("at least {}", conditions.keep_at_least or None),
            ("score to {:g}", rule.max_score),
            ("{} stars", rule.keep_stars),
        )
        if value is not None
    ]
    if rule.duplicate_bits is not None:
        words.append("near-duplicates once")
    if rule.buckets:
        limits = ", ".join(f"{bucket.name}={bucket.limit:g}" for bucket in rule.buckets.each)
        words.append(f"{limits} by {rule.buckets.by}")
    each = "" if rule.per == "all" else f" per {rule.per}"
    return f"{VERBS[options.action][0]}: {', '.join(words) or 'all with a score'}{each}"


def summarise(curation: Curation) -> list[NameSummary]:
    """One summary for every name that has pictures, best first, pictures without a score at the end."""
    fates: dict[str, Counter[Fate]] = {}
    values: dict[str, list[float]] = {}
    for placing, row in zip(curation.placings, curation.rows, strict=True):
        fates.setdefault(placing.name, Counter())[placing.fate] += 1
        if row.value is not None:
            values.setdefault(placing.name, []).append(row.value)
    folders = curation.options.destinations(curation.folder).folders
    return [
        NameSummary(
            name,
            fates[name],
            max(values.get(name, ()), default=math.nan),
            min(values.get(name, ()), default=math.nan),
            folders.get(name),
        )
        for name in (*curation.options.rule.names, "")
        if name in fates
    ]


def examples(curation: Curation, each: int) -> Iterator[Example]:
    """The best pictures under every name, those that go somewhere first, at most ``each`` per name."""
    places: dict[str, list[tuple[bool, int]]] = {}
    for place, index in enumerate(curation.verdicts.selection.order.tolist()):
        placing = curation.placings[index]
        places.setdefault(placing.name, []).append((placing.fate != "go", place))
    order = curation.verdicts.selection.order
    for name in (*curation.options.rule.names, ""):
        for _, place in sorted(places.get(name, ()))[:each]:
            yield _example(curation, int(order[place]))


def _example(curation: Curation, index: int) -> Example:
    placing = curation.placings[index]
    value = curation.rows[index].value
    return Example(
        placing.name,
        math.nan if value is None else value,
        shown_name(placing.path, curation.folder),
        shown_name(placing.end, curation.folder) if placing.fate == "go" else "",
        # The file stands in the row anyway.
        curation.verdicts.selection.reasons[index].partition(": ")[2].replace(f"{placing.path}: ", ""),
    )


def sentences(curation: Curation) -> list[str]:
    """The plan in words."""
    parts = summarise(curation)
    scored = [part for part in parts if part.name]
    said = ", ".join(f"{part.pictures:,} {part.name}" for part in scored) or "none with a score"
    lines = [f"{count_of(len(curation.placings), 'picture')} judged: {said}."]
    do = VERBS[curation.options.action][0]
    going = [f"{part.fates['go']:,} to {part.folder}" for part in scored if part.fates["go"]]
    if going:
        lines.append(f"To {do}: {'; '.join(going)}.")
    elif curation.options.action != "stay":
        lines.append(f"There is nothing to {do}.")
    lines += [
        f"{number:,} {one if number == 1 else many} {rest}."
        for fate, one, many, rest in _STAYS
        if (number := curation.count(fate=fate))
    ]
    duplicates = int((curation.verdicts.leaders != range(len(curation.rows))).sum()) if curation.rows else 0
    if duplicates:
        looks = "looks" if duplicates == 1 else "look"
        lines.append(f"{count_of(duplicates, 'picture')} {looks} like a better one.")
    whose = "copies" if curation.options.action == "copy" else "pictures"
    if curation.options.write_scores:
        lines.append(
            f"To write: the scores of the {whose} into their metadata, where they do not stand there yet."
        )
    if curation.options.xmp:
        lines.append(
            f"To write: ratings of the {whose} as XMP files beside them, where they do not stand there yet."
        )
    return [*lines, *remarks(curation)]


def remarks(curation: Curation) -> list[str]:
    """Remarks needed to read the numbers of a plan, in sentences."""
    result = curation.result
    return [] if result is None else [text for text in (result.basis, *result.warnings) if text]


def done_words(options: CurateOptions) -> str:
    """What has happened to each of the pictures counted in :func:`carried_words`."""
    if options.write_scores or options.xmp:
        return "steps done"  # a picture may take several: a copy, its metadata, its rating
    return VERBS[options.action][1]


def carried_words(carried: Carried, done: str, then: str = "") -> str:
    """What carrying a plan out, or taking it back, came to, in sentences; ``then`` is said where anything was done."""
    parts = [f"{carried.done:,} {done}"]
    if carried.skipped:
        parts.append(f"{carried.skipped:,} needed nothing")
    settled = sum(each.finished + each.taken_back for each in carried.settled)
    if settled:
        parts.append(f"{count_of(settled, 'step')} of a run that was cut off settled before")
    if carried.left:
        parts.append(f"{carried.left:,} not come to")
    if carried.failed:
        path, reason = carried.failed[0]
        parts.append(f"{len(carried.failed):,} could not be dealt with, the first: {path}: {reason}")
    return " ".join(filter(None, (f"{', '.join(parts)}.", *carried.notes, then if carried.done else "")))
