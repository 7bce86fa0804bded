"""Options of a curation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ...records import record
from ...selection import Rule
from ...settings import check, setting
from ..scan.options import ScanOptions
from .buckets import REJECTED, Buckets

if TYPE_CHECKING:
    from .destinations import Destinations

KEPT = "kept"
DISTANCE = 6
"""How many of the 64 bits may differ in near-duplicates. Copies of 150 random pictures with the spectrum of photographs, compressed anew
(JPEG 50, 85), resized (half, one and a half times) or brightened, differed in 0 to 2 bits, and different ones in 16 or more."""
MOST_DISTANCE = 12

Per = Literal["all", "prompt", "folder"]
Action = Literal["copy", "hardlink", "symlink", "move", "stay"]
XmpStyle = Literal["", "both", "full", "stem"]


@record(frozen=True)
class CurationRule:
    """The rule by which a picture is kept or rejected.

    The ``within`` of its conditions is not used; ``per`` takes its place, also for near-duplicates: pictures whose perceptual hashes differ
    in at most ``duplicate_bits`` of 64 bits. Who meets no bucket's limit is rejected after all.
    """

    conditions: Rule = field(default_factory=Rule)
    per: Per = setting(
        "all",
        "Counts and shares over all pictures, for each prompt, or for each folder",
        choices=get_args(Per),
    )
    duplicate_bits: int | None = setting(
        None,
        "Of pictures that look alike only the best is kept, and only it is counted",
        low=0,
        high=MOST_DISTANCE,
    )
    buckets: Buckets | None = setting(
        None,
        "Sorts kept pictures further, best first: great=90,good=50 makes folders great and good, and the rest is rejected",
    )
    keep_stars: int | None = setting(
        None,
        "Keep pictures that you gave at least so many stars, whatever their score",
        low=1,
        high=5,
        shown=(0, 5),
        unset=0,
    )
    max_score: float | None = setting(
        None,
        "Keep pictures with at most this score; the number depends on the scorer",
        shown=(-1000, 1000),
        step=0.01,
        unset=1000,
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The names pictures can be sorted under, best first; the last one is for the rejected."""
        return self.buckets.names if self.buckets else (KEPT, REJECTED)

    @property
    def is_empty(self) -> bool:
        """Whether it rejects nothing that has a score: no condition, no buckets, and near-duplicates are let be."""
        limits = (
            self.conditions.top_k,
            self.conditions.top_percent,
            self.conditions.min_score,
            self.conditions.min_percentile,
        )
        more = (self.duplicate_bits, self.buckets, self.max_score)
        return all(limit is None for limit in (*limits, *more))

    @property
    def alone(self) -> bool:
        """Whether what is said about a picture does not depend on other pictures."""
        counts = (self.conditions.top_k, self.conditions.top_percent, self.conditions.keep_at_least or None)
        shares = self.buckets is not None and self.buckets.by == "share"
        return all(count is None for count in counts) and self.duplicate_bits is None and not shares


@record(frozen=True)
class CurateOptions:
    """The rule, and what is done with the pictures of a folder.

    Attributes:
        action: ``"stay"`` leaves all pictures where they are, for writing scores alone.
        folders: Destination folders by name, for those that are not to be a folder of that name inside of the curated one. Relative
            ones are taken from the curated folder.
        leave: Names whose pictures stay where they are.
        resort: Whether pictures that lie in a destination folder already go to another one where the rule now says so. By default they
            count in the comparison and stay, so that what somebody moved by hand stays too.
        write_scores: Copies are written to, originals are not.
        scan: Which files count.
        fresh_ns: Files changed after this time (nanoseconds since 1970) stay for now, because somebody may still be writing them.
        hold: Files that stay for now for other reasons.
    """

    rule: CurationRule = field(default_factory=CurationRule)
    action: Action = setting("copy", "How pictures get to their folders", choices=get_args(Action))
    folders: Mapping[str, Path] = field(default_factory=dict)
    leave: frozenset[str] = frozenset()
    resort: bool = setting(
        False,
        "Move pictures that lie in these folders already where the rule says otherwise now; without it they stay, also those you have "
        "moved yourself",
    )
    write_scores: bool = setting(
        False,
        "Writes scores into the pictures' own metadata (PNG, JPEG, WebP); pixels and everything else stay as they are",
    )
    xmp: XmpStyle = setting(
        "",
        "Writes ratings as XMP files beside the pictures: 1 to 5 stars, -1 for rejected; as picture.png.xmp (full), picture.xmp (stem) or "
        "both. A rating you gave yourself stays",
        choices=get_args(XmpStyle),
    )
    scan: ScanOptions = field(default_factory=ScanOptions)
    fresh_ns: int | None = None
    hold: frozenset[Path] = frozenset()
    name_scores: bool = setting(
        False,
        "Pictures that are copied, linked or moved get their score into their name: a.png becomes a_score0.8731.png",
    )

    def __post_init__(self) -> None:
        check(self)
        unknown = (set(self.folders) | self.leave) - set(self.rule.names)
        if unknown:
            from .destinations import CurateError

            raise CurateError(
                f"{', '.join(sorted(unknown))}: nothing is sorted under this name; expected one of {', '.join(self.rule.names)}"
            )

    def destinations(self, folder: Path) -> Destinations:
        """The destination folders of a curation of ``folder``.

        Raises:
            CurateError: They cannot be, see :meth:`.destinations.Destinations.check`.
        """
        from ...files.values import absolute
        from .destinations import Destinations

        root = absolute(folder)
        found = Destinations(
            root, {name: absolute(root / self.folders.get(name, name)) for name in self.rule.names}
        )
        found.check()
        return found
