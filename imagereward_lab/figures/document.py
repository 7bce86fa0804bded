"""An evaluation as a document: sections with tables for people, and the same figures one by one for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .estimates import Estimate


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        section: Key of its section.
        measure: What it is.
        scorer: About whom: a scorer, a person, a source; empty for a figure about all.
        against: Whom it is compared with.
        group: Of which pictures or prompts: a category, a size of groups, a place, a weight; empty for all.
        value: The figure; None where there is none. Shares are from 0 to 1.
        low: Lower end of its interval.
        high: Upper end.
        deviation: Standard deviation over people.
        count: From how many things it was made.
        of: What these are: pairs, rankings, prompts, pictures.
    """

    section: str
    measure: str
    scorer: str = ""
    against: str = ""
    group: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    deviation: float | None = None
    count: int = 0
    of: str = ""

    @classmethod
    def made(cls, section: str, measure: str, estimate: Estimate, of: str, **more: Any) -> Figure:
        """A figure with what an estimate says."""
        return cls(
            section=section,
            measure=measure,
            value=known(estimate.value),
            low=known(estimate.low),
            high=known(estimate.high),
            count=estimate.count,
            of=of,
            **more,
        )


def known(value: float) -> float | None:
    """None for NaN, which JSON has not."""
    return None if math.isnan(value) else float(value)


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        columns: Headings.
        rows: Cells as text.
        texts: How many columns at the left hold words; numbers follow.
        title: What it is about, where a section has several.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    title: str = ""


@dataclass(frozen=True)
class Drawing:
    """A drawing to be made, as data, so that only the page needs to know how.

    Attributes:
        kind: ``bars``: values by label and series; ``lines``: points of series; ``points``: figures over each label with their mean and its
            interval; ``boxes``: five values by label and series, one after another: where the lower whisker ends, first quartile, median,
            third quartile, where the upper whisker ends.
        title: What it shows.
        across: What stands along the horizontal axis.
        upwards: What stands along the vertical one.
        labels: For bars and boxes the labels along the axis.
        series: For every series its values, or its points; NaN is a gap.
        level: Height of a dashed line, such as what chance gives.
        points: For ``points``, the figures of every label.
        ends: For ``bars``, by series the ends of the interval of every value; NaN for none.
    """

    kind: str
    title: str
    across: str
    upwards: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]
    level: float = math.nan
    points: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ends: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A part of an evaluation.

    Attributes:
        key: Its name in files.
        title: Its heading.
        lead: What the figures mean, for somebody who has not read the paper.
        tables: The figures as people read them.
        sentences: What they come to.
        figures: The figures one by one.
        drawings: What may be drawn.
    """

    key: str
    title: str
    lead: str
    tables: Sequence[Table]
    figures: Sequence[Figure]
    sentences: Sequence[str] = ()
    drawings: Sequence[Drawing] = ()


@dataclass(frozen=True)
class Evaluation:
    """All that was found.

    Attributes:
        title: Heading.
        facts: What was evaluated, and how, by name.
        sections: The parts.
        warnings: What must be known to read the figures.
        failures: Pictures without a score, as ``Failure`` has them.
        kind: What sort of document it is, for programs.
        command: What made it.
        without: What pictures without a score mean for the figures.
    """

    title: str
    facts: Mapping[str, Any]
    sections: Sequence[Section]
    warnings: Sequence[str] = ()
    failures: Sequence[Any] = field(default_factory=tuple)
    kind: str = "evaluation"
    command: str = "imagereward evaluate"
    without: str = (
        "What people said about them is in no figure, so that all scorers are compared on the same pictures."
    )

    @property
    def figures(self) -> list[dict[str, Any]]:
        """All figures as rows."""
        return [asdict(figure) for section in self.sections for figure in section.figures]
