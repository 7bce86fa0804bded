"""A plan of curation in numbers and in words, for a person to approve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...files.values import shown_name
from .options import CurateOptions
from .plan import Curation, Placing

VERBS = {
    "copy": ("copy", "copied"),
    "hardlink": ("hard link", "hard-linked"),
    "symlink": ("link", "linked"),
    "move": ("move", "moved"),
    "stay": ("leave", "left"),
}
"""The verb of each action, before and after it is done."""


@dataclass(frozen=True)
class NameSummary:
    """Counts of the pictures under one name.

    Attributes:
        name: The name; empty for pictures without a score.
        pictures: How many there are.
        go: How many there is a step for.
        there: How many lie in the right place already.
        earlier: How many were sorted under another name earlier, and stay there.
        left: How many stay where they are because that was asked for.
        fresh: How many wait because they have just been changed.
        best: Their highest score; NaN where nothing is known.
        worst: Their lowest.
        folder: Where they go.
        linked: How many stay because a move would leave a link without what it leads to.
    """

    name: str
    pictures: int
    go: int
    there: int
    earlier: int
    left: int
    fresh: int
    best: float
    worst: float
    folder: Path | None
    linked: int = 0


@dataclass(frozen=True)
class Example:
    """One picture of a plan.

    Attributes:
        name: What it is sorted under; empty without a score.
        score: Its score; NaN without one.
        file: As seen from the curated folder.
        target: Where it goes, in the same way; empty where it stays.
        reason: Why.
    """

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
    by_name: dict[str, list[int]] = {}
    for index, placing in enumerate(curation.placings):
        by_name.setdefault(placing.name, []).append(index)
    destinations = curation.options.destinations(curation.folder)
    found = []
    for name in (*curation.options.rule.names, ""):
        indexes = by_name.get(name, [])
        if not indexes:
            continue
        fates = [curation.placings[index].fate for index in indexes]
        values = [value for index in indexes if (value := curation.rows[index].value) is not None]
        found.append(
            NameSummary(
                name,
                len(indexes),
                go=fates.count("go"),
                there=fates.count("there"),
                earlier=fates.count("earlier"),
                left=fates.count("left"),
                fresh=fates.count("fresh"),
                best=max(values, default=math.nan),
                worst=min(values, default=math.nan),
                folder=destinations.folders[name] if name else None,
                linked=fates.count("linked"),
            )
        )
    return found


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
    placing: Placing = curation.placings[index]
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
    total = sum(part.pictures for part in parts)
    said = ", ".join(f"{part.pictures:,} {part.name}" for part in scored) or "none with a score"
    lines = [f"{total:,} picture{_s(total)} judged: {said}."]
    do = VERBS[curation.options.action][0]
    going = [part for part in scored if part.go]
    if going:
        lines.append("To " + do + ": " + "; ".join(f"{part.go:,} to {part.folder}" for part in going) + ".")
    elif curation.options.action != "stay":
        lines.append(f"There is nothing to {do}.")
    lines += _places(parts)
    duplicates = int((curation.verdicts.leaders != range(len(curation.rows))).sum()) if curation.rows else 0
    if duplicates:
        lines.append(
            f"{duplicates:,} picture{_s(duplicates)} {_verb(duplicates, 'looks', 'look')} like a better one."
        )
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


def _places(parts: Sequence[NameSummary]) -> list[str]:
    there, earlier, left, fresh = (
        sum(getattr(part, fate) for part in parts) for fate in ("there", "earlier", "left", "fresh")
    )
    unscored = sum(part.pictures for part in parts if not part.name)
    found = []
    if there:
        found.append(f"{there:,} {_verb(there, 'is', 'are')} in place already.")
    if earlier:
        found.append(
            f"{earlier:,} {_verb(earlier, 'was', 'were')} sorted otherwise before, by an earlier run or by hand: left there, unless "
            "sorting anew is asked for."
        )
    if left:
        found.append(f"{left:,} {_verb(left, 'stays', 'stay')} in place, as asked for.")
    if fresh:
        found.append(f"{fresh:,} changed just now: looked at later.")
    if linked := sum(part.linked for part in parts):
        found.append(
            f"{linked:,} {_verb(linked, 'stays', 'stay')} in place: symbolic links to other pictures of the folder, and what they lead to, "
            "are not moved, so that no link leads nowhere. Copy them, or remove the links first."
        )
    if unscored:
        found.append(f"{unscored:,} {_verb(unscored, 'has', 'have')} no score: left in place.")
    return found


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _verb(number: int, one: str, many: str) -> str:
    return one if number == 1 else many
