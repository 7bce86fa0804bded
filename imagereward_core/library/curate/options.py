"""Options of a curation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from ...files.values import absolute
from ..scan.options import ScanOptions
from .destinations import CurateError, Destinations
from .rules import CurationRule

Action = Literal["copy", "hardlink", "symlink", "move", "stay"]


XmpStyle = Literal["", "both", "full", "stem"]


@dataclass(frozen=True)
class CurateOptions:
    """The rule, and what is done with the pictures of a folder.

    Attributes:
        rule: What is kept.
        action: How pictures get to their destinations. ``"stay"`` leaves all of them where they are, for writing scores alone.
        folders: Destination folders by name, for those that are not to be a folder of that name inside of the curated one. Relative
            ones are taken from the curated folder.
        leave: Names whose pictures stay where they are.
        resort: Whether pictures that lie in a destination folder already go to another one where the rule now says so. By default they
            count in the comparison and stay, so that what somebody moved by hand stays too.
        write_scores: Whether scores are written into the files' own metadata. Copies are written to, originals are not.
        xmp: Ratings and scores as XMP files beside the pictures: ``"full"`` (``a.png.xmp``), ``"stem"`` (``a.xmp``) or ``"both"``.
        scan: Which files count.
        fresh_ns: Files changed after this time (nanoseconds since 1970) stay for now, because somebody may still be writing them.
        hold: Files that stay for now for other reasons.
        name_scores: Whether pictures that go somewhere get their score into their name: ``a.png`` becomes ``a_score0.8731.png``.
    """

    rule: CurationRule = field(default_factory=CurationRule)
    action: Action = "copy"
    folders: Mapping[str, Path] = field(default_factory=dict)
    leave: frozenset[str] = frozenset()
    resort: bool = False
    write_scores: bool = False
    xmp: XmpStyle = ""
    scan: ScanOptions = field(default_factory=ScanOptions)
    fresh_ns: int | None = None
    hold: frozenset[Path] = frozenset()
    name_scores: bool = False

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise ValueError(f"action is {self.action!r}; expected one of {', '.join(get_args(Action))}")
        if self.xmp not in get_args(XmpStyle):
            raise ValueError(f"xmp is {self.xmp!r}; expected 'both', 'full', 'stem' or nothing")
        unknown = (set(self.folders) | self.leave) - set(self.rule.names)
        if unknown:
            raise CurateError(
                f"{', '.join(sorted(unknown))}: nothing is sorted under this name; expected one of {', '.join(self.rule.names)}"
            )

    def destinations(self, folder: Path) -> Destinations:
        """The destination folders of a curation of ``folder``.

        Raises:
            CurateError: One of them holds the folder itself, or two names share one.
        """
        root = absolute(folder)
        found = Destinations(
            root, {name: absolute(root / self.folders.get(name, name)) for name in self.rule.names}
        )
        found.check()
        return found
