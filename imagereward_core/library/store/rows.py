"""From numbers of files to the rows that people and rules read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..records import Generated, Row
from .values import from_name, unsigned

_ROWS = """
SELECT files.id, folders.path, files.name, pictures.hash, pictures.width, pictures.height, files.size, files.modified,
    ranking.negated, cuts.text, ranking.problem, files.problem, pictures.stars, pictures.fingerprint,
    files.fixed, shown.text, own.text, written.text, negative.text, origin.text, generator.text, model.text, loras.text,
    files.seed, missing.text, scorers.reads_prompt
FROM files
JOIN folders ON folders.id = files.folder
LEFT JOIN pictures ON pictures.id = files.picture
LEFT JOIN ranking ON ranking.scorer = ?1 AND ranking.file = files.id
LEFT JOIN scorers ON scorers.id = ?1
LEFT JOIN texts cuts ON cuts.id = ranking.cut
JOIN texts shown ON shown.id = files.prompt
JOIN texts own ON own.id = files.own
JOIN texts written ON written.id = files.written
JOIN texts negative ON negative.id = files.negative
JOIN texts origin ON origin.id = files.origin
JOIN texts generator ON generator.id = files.generator
JOIN texts model ON model.id = files.model
JOIN texts loras ON loras.id = files.loras
JOIN texts missing ON missing.id = files.missing
WHERE files.id = ?2
"""


def rows_of(connection: sqlite3.Connection, scorer: int, files: Sequence[int]) -> Iterator[Row]:
    """The rows of files, in the order of their numbers given, with the scores of a scorer (0 for none); unknown ones are left out."""
    for file in files:
        found = connection.execute(_ROWS, (scorer, file)).fetchone()
        if found is not None:
            yield _row(found)


def _row(found: tuple) -> Row:
    (
        (file, folder, name, content, width, height, size, modified),
        (negated, cut, unscored, undecoded, stars, fingerprint),
        (fixed, shown, own, written, negative, origin, generator, model, loras, seed, missing, reads_prompt),
    ) = found[:8], found[8:14], found[14:]
    generated = Generated(
        written=shown if fixed else written,
        prompt=shown if fixed else own,
        negative=negative,
        origin="option" if fixed else origin,
        generator=generator,
        model=model,
        loras=tuple(json.loads(loras)) if loras else (),
        seed=seed,
        problem="" if fixed else missing,
    )
    no_prompt = generated.problem if reads_prompt is None or reads_prompt else ""
    return Row(
        file=file,
        path=Path(from_name(folder), from_name(name)),
        content=content.hex() if content else "",
        width=width or 0,
        height=height or 0,
        size=max(0, size),
        modified_ns=modified,
        generated=generated,
        value=None if negated is None else -negated,
        cut=cut or "",
        problem="" if negated is not None else undecoded or unscored or no_prompt,
        stars=stars,
        fingerprint=unsigned(fingerprint),
    )
