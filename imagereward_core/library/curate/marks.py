"""Scores and ratings as steps: written into the pictures' own metadata, and into XMP files beside them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ImageError
from ...files.regular import read_regular
from ...metadata.containers.blocks import read_blocks
from ...metadata.score_keys import METADATA_KEY
from ...metadata.stars import person_rating
from ...metadata.writing.plan import plan_edit
from ...metadata.writing.xmp import sidecars_of, xmp_with_rating
from ...report.score_block import score_metadata, settled_block
from ..journal import Step
from .rules import ratings

if TYPE_CHECKING:
    from .plan import Curation, Placing

Problems = list[tuple[Path, str]]


def all_steps(curation: Curation, problems: Problems) -> Iterator[Step]:
    """The steps of a plan, and those that write scores and ratings, picture by picture.

    Files are read one after another while this runs, so memory stays flat. ``problems`` gets those whose metadata cannot be written,
    with the reason; they are sorted all the same.
    """
    options = curation.options
    marker = None
    if (options.write_scores or options.xmp) and curation.result is not None:
        marker = _Marker(curation, problems)
    going = iter(curation.steps)
    for index, placing in enumerate(curation.placings):
        step = next(going) if placing.fate == "go" else None
        asked = placing.name and placing.fate != "aside"
        edits = list(marker.edits(index, placing, step)) if marker and asked else []
        # A link shares its bytes with the original, or leads to it: the original is written first.
        first = step is not None and step.kind in ("hardlink", "symlink")
        own = [edit for edit in edits if edit.kind == "edit"]
        beside = [edit for edit in edits if edit.kind != "edit"]
        yield from own if first else ()
        if step is not None:
            yield step
        yield from () if first else own
        yield from beside


class _Marker:
    """Plans what is written about each picture."""

    def __init__(self, curation: Curation, problems: Problems) -> None:
        assert curation.result is not None
        self.curation, self.problems = curation, problems
        self.options = curation.options
        scores = curation.result.main
        self.everyone = (scores, *curation.result.beside)
        self.percentiles, self.ranks = scores.percentiles(), scores.ranks()
        self.kept = set(curation.verdicts.selection.kept.tolist())
        self.ratings = ratings(curation.verdicts, scores, curation.rows)
        self.shared = Counter(placing.end.with_suffix("") for placing in curation.placings)

    def edits(self, index: int, placing: Placing, step: Step | None) -> Iterator[Step]:
        """The edit of the picture and the XMP files beside it, as far as asked for and possible."""
        if self.options.action == "copy" and placing.end == placing.path:
            return  # an original, which a run that copies leaves alone
        source = step.source if step is not None else placing.end
        fields = score_metadata(
            self.everyone,
            index,
            float(self.percentiles[index]),
            int(self.ranks[index]),
            index in self.kept,
            self.curation.verdicts.selection.reasons[index],
        )
        block = fields.pop(METADATA_KEY)
        if self.options.write_scores:
            where = source if step is not None and step.kind in ("hardlink", "symlink") else placing.end
            try:
                written = read_blocks(source).get(METADATA_KEY, "")
                splices = plan_edit(source, fields, settled_block(block, written))
                if splices:
                    yield Step("edit", where, where, splices)
            except (ImageError, ValueError) as error:
                self.problems.append((source, str(error)))
        if self.options.xmp:
            yield from self._xmp(index, source, placing.end, fields)

    def _xmp(self, index: int, source: Path, end: Path, fields: dict[str, str]) -> Iterator[Step]:
        person = person_rating(source)
        rating = self.ratings[index] if person is None else person
        for sidecar in sidecars_of(source):
            style = "full" if sidecar.whole else "stem"
            now = sidecar.path
            then = now if end == source else sidecar.beside(end)
            if self.options.xmp not in (style, "both"):
                continue
            if style == "stem" and self.shared[end.with_suffix("")] > 1:
                why = f"{then.name} would belong to several pictures; the style 'full' gives each its own"
                if self.options.xmp == "stem":
                    self.problems.append((source, why))
                continue
            try:
                existing = read_regular(now) if os.path.lexists(now) else None
                content = xmp_with_rating(existing, rating, fields)
            except (ImageError, OSError) as error:
                self.problems.append((now, str(error)))
                continue
            if content != existing:
                yield Step("put", then, then, content=content, made_from=existing)
