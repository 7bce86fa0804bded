"""What a check of a data set can find, by kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """A kind of finding.

    Attributes:
        title: What it is, for a table.
        wrong: Whether something should be done about it; the command's exit code says so.
    """

    title: str
    wrong: bool = True


KINDS = {
    "left_out": Kind("rows left out"),
    "missing": Kind("pictures missing"),
    "empty": Kind("pictures of zero bytes"),
    "unreadable": Kind("pictures unreadable"),
    "outside": Kind("names outside the folder"),
    "group_under_two": Kind("rankings of fewer than two"),
    "nothing_ranked": Kind("rankings that order nothing"),
    "image_twice": Kind("one picture twice in a ranking"),
    "duplicate_ranking": Kind("rankings that are there twice"),
    "prompt_in_splits": Kind("prompts in more than one split"),
    "image_in_splits": Kind("pictures in more than one split"),
    "same_image": Kind("pictures under two names", wrong=False),
    "all_tied": Kind("rankings of ties alone", wrong=False),
}
MOST = 1000


@dataclass
class Findings:
    """Findings of one kind: all counted, the first thousand told."""

    count: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)


class Found:
    """Findings by kind."""

    def __init__(self) -> None:
        self.by_kind = {kind: Findings() for kind in KINDS}

    def add(self, kind: str, where: str, detail: str = "") -> None:
        """Adds a finding."""
        findings = self.by_kind[kind]
        findings.count += 1
        if len(findings.told) < MOST:
            findings.told.append((where, detail))

    def __iter__(self) -> Iterator[tuple[str, Findings]]:
        """Those kinds that were found."""
        return ((kind, findings) for kind, findings in self.by_kind.items() if findings.count)

    @property
    def wrong(self) -> int:
        """How many findings something should be done about."""
        return sum(findings.count for kind, findings in self if KINDS[kind].wrong)
