"""Exports the pictures of a library with their scores, for spreadsheets and programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report.replace import replacing
from ..report.rows import JudgedRow, PictureFacts, bare_reason, judged_fields, number
from ..report.tables import FORMS, ExportError, Layout, require, write_parquet, write_text
from ..scorers.meaning import percentiles_in_history
from ..scores import FloatArray
from ..selection import Selection
from ..weights.card import ScorerCard
from .store.records import Row

if TYPE_CHECKING:
    from ..scorers.panel import PanelResult

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class ExportRow(JudgedRow):
    """One picture of a library.

    Attributes:
        percentile_in_history: Share of the user's own scores by this scorer below this one, 0..100; None where too few are known.
        stars: What a person gave it, 0..5; None where nobody gave anything.
        negative, generator, model, loras, seed: How it was made, by its metadata, as in :class:`~.store.records.Generated`.
        modified: Time of the file's last change, ISO 8601, UTC.
        content: Hexadecimal hash of the decoded pixels: the same for copies of a picture.
        fingerprint: Perceptual hash, 16 hexadecimal digits: nearly the same for pictures that look the same.
    """

    percentile_in_history: float | None = None
    bucket: str = ""
    stars: int | None = None
    negative: str = ""
    generator: str = ""
    model: str = ""
    loras: tuple[str, ...] = ()
    seed: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    modified: str = ""
    content: str = ""
    fingerprint: str = ""


def export(
    path: str | os.PathLike[str],
    rows: Iterable[Row],
    result: PanelResult,
    selection: Selection,
    card: ScorerCard,
    *,
    form: str = "",
    order: Sequence[int] | None = None,
    rule: Mapping[str, Any] | None = None,
    buckets: Sequence[str] = (),
    history: Sequence[float] | FloatArray = (),
    copies: Mapping[int, Sequence[Row]] | None = None,
    bom: bool = False,
    progress: Callable[[int], None] | None = None,
    overwrite: bool = False,
) -> int:
    """Writes pictures with their scores to a file, all or nothing, row after row, and returns how many.

    Args:
        path: The file. Its ending says the form, unless ``form`` does.
        rows: Files of a library, aligned with the scores.
        result: Their scores, from the panel that judged them.
        selection: What was kept of them.
        card: Card of the scorer that decides.
        form: ``csv``, ``json``, ``jsonl`` or ``parquet``.
        order: Which rows to write and in which order; then ``rows`` must be a sequence. By default all, as they come.
        rule: The filter, for readers of JSON.
        buckets: For every row the name of its bucket.
        history: All own scores of the scorer, for percentiles against them.
        copies: By the place of a row further files with the same picture: written behind it, with its numbers.
        bom: Whether csv begins with a byte order mark, by which Excel recognises UTF-8.
        progress: Told the number of rows written so far.
        overwrite: Whether a file that this program did not write may be replaced; a picture never is.

    Raises:
        ExportError: The form is not known, or a package for it is missing.
        ValueError: Rows, scores and selection are of different lengths.
        OutputFileError: There is a file already that must stay.
        OSError: The file cannot be written.
    """
    target = Path(path)
    form = form or form_of(target)
    require(form)
    scores = result.main
    layout = Layout.of(
        ExportRow,
        scores,
        [other.scorer for other in result.beside],
        card,
        rule,
        {"pictures": len(scores), "scored": scores.scored, "kept": len(selection.kept)},
    )
    written = 0

    def records() -> Iterator[ExportRow]:
        nonlocal written
        for row in export_rows(
            rows, result, selection, order=order, buckets=buckets, history=history, copies=copies
        ):
            yield row
            written += 1
            if progress is not None:
                progress(written)

    with replacing(target, overwrite=overwrite) as temporary:
        if form == "parquet":
            write_parquet(temporary, records(), layout)
            return written
        encoding = "utf-8-sig" if bom and form == "csv" else "utf-8"
        with temporary.open("w", encoding=encoding, errors="backslashreplace", newline="") as file:
            write_text(file, form, records(), layout)
    return written


def form_of(path: Path) -> str:
    """The form that the ending of a file's name stands for.

    Raises:
        ExportError: It stands for none.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMS:
        raise ExportError(
            f"{path.name} does not end in one of {', '.join(f'.{each}' for each in FORMS)}; name the form, or end the name in one"
        )
    return form


def export_rows(
    rows: Iterable[Row],
    result: PanelResult,
    selection: Selection,
    *,
    order: Sequence[int] | None = None,
    buckets: Sequence[str] = (),
    history: Sequence[float] | FloatArray = (),
    copies: Mapping[int, Sequence[Row]] | None = None,
) -> Iterator[ExportRow]:
    """The rows of :func:`export`, one after another; arguments as there.

    Raises:
        ValueError: Rows, scores and selection are of different lengths, or an order is given for rows that are no sequence.
    """
    scores = result.main
    if not len(scores) == len(selection.order) == (len(buckets) or len(scores)):
        raise ValueError(
            f"{len(scores)} scores, a selection among {len(selection.order)} and {len(buckets)} buckets; expected one of each per picture"
        )
    facts = PictureFacts(scores, selection)
    own = percentiles_in_history(scores.values, history)
    disputed = {each.index: each.reason for each in result.disagreements}
    copies = copies or {}
    placed = _placed(rows, order, len(scores))
    for index, row in ((at, each) for at, first in placed for each in (first, *copies.get(at, ()))):
        fact, made = facts[index], row.generated
        yield ExportRow(
            file=str(row.path),
            reason=bare_reason(fact, str(row.path)),
            prompt_written=made.written,
            prompt_source=made.origin,
            notes="; ".join(filter(None, (made.notes, made.picture_note))),
            disputed=disputed.get(index, ""),
            percentile_in_history=number(own[index]),
            bucket=buckets[index] if buckets else "",
            stars=row.stars,
            negative=made.negative,
            generator=made.generator,
            model=made.model,
            loras=made.loras,
            seed=made.seed,
            width=row.width,
            height=row.height,
            bytes=row.size,
            modified=_time(row.modified_ns),
            content=row.content,
            fingerprint="" if row.fingerprint is None else f"{row.fingerprint:016x}",
            **judged_fields(scores, fact, result.beside, str(row.path)),
        )


def _placed(rows: Iterable[Row], order: Sequence[int] | None, expected: int) -> Iterator[tuple[int, Row]]:
    """Rows with their places among the scores."""
    if order is None:
        yield from zip(range(expected), rows, strict=True)
        return
    if not isinstance(rows, Sequence) or len(rows) != expected:
        raise ValueError(
            f"to write rows in an order of its own, expected a sequence of {expected} rows, one per score"
        )
    for index in order:
        yield int(index), rows[int(index)]


def _time(nanoseconds: int) -> str:
    """A file's time as text; empty where no calendar holds it, as on damaged file systems."""
    try:
        return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat(timespec="seconds")
    except OverflowError:
        return ""
