"""A table ``prompt,image,rank`` as CSV: one row for each picture; pictures of one prompt are one ranking.

Further columns that are understood: ``annotator``, ``id`` (of the ranking, where one annotator ranked a prompt twice), ``category``,
``split``, ``source``, and ``rating`` (or ``overall``, ``alignment``, ``fidelity``). A table with ``stars``, 0 to 5, needs no ``rank``:
more are better, equal ones are no ties, and pictures without any are left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagereward_core.files.regular import open_regular, read_regular

from ..encoding import encoding_of
from ..form import FieldError, number_in, text_in
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .grouping import Grouping, of_several, rank_of_stars

_NEEDED = ("prompt", "image", "rank")
_STARS = "stars"
_FACTS = ("annotator", "id", "category", "split")
_RATINGS = ("overall", "alignment", "fidelity")
_OTHER_NAMES = {
    "file": "image",
    "image_path": "image",
    "path": "image",
    "caption": "prompt",
    "rating": "overall",
}
_HEAD = 2**14


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(header: list[str]) -> dict[str, int]:
    """Place of each column that is understood; the documented name wins over another one for it."""
    names = [name.strip().lower() for name in header]
    places = {_OTHER_NAMES.get(name, name): place for place, name in reversed(list(enumerate(names)))}
    return places | {
        name: names.index(name) for name in set(names) & {*_NEEDED, *_FACTS, *_RATINGS, "source"}
    }


def _lacking(columns: dict[str, int]) -> list[str]:
    """Columns that are needed and not there."""
    return [name for name in _NEEDED if name not in columns and not (name == "rank" and _STARS in columns)]


def _header(path: Path) -> str:
    try:
        data = read_regular(path, _HEAD)
    except OSError:
        return ""
    return data.decode(encoding_of(data), "replace").partition("\n")[0].strip("\r")


def _recognise(path: Path) -> bool:
    header = _header(path) if path.is_file() else ""
    if not header or header.startswith(("{", "[")):
        return False
    columns = _columns(next(csv.reader([header], delimiter=_delimiter(header)), []))
    return not _lacking(columns)


def _read(path: Path, notes: Notes) -> Iterator[Ranking]:
    groups = Grouping()
    delimiter = _delimiter(_header(path))
    encoding = encoding_of(read_regular(path, 2))
    with io.TextIOWrapper(open_regular(path), encoding, "surrogateescape", newline="") as stream:
        rows = csv.reader(stream, delimiter=delimiter)
        columns = _columns(next(rows, []))
        missing = _lacking(columns)
        if missing:
            notes.add(
                f"{path.name}, line 1",
                f"found no column {missing[0]}; expected the columns {', '.join(_NEEDED)}",
            )
            return
        while True:
            try:
                cells = next(rows, None)
                if cells is None:
                    break
                if any(cells):
                    _add(groups, f"{path.name}, line {rows.line_num}", cells, columns)
            except (FieldError, csv.Error) as error:
                notes.add(f"{path.name}, line {rows.line_num}", str(error))
    found = groups.rankings(notes)
    yield from found if "rank" in columns else of_several(found, notes)


def _add(groups: Grouping, where: str, cells: list[str], columns: dict[str, int]) -> None:
    row = {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}
    prompt = text_in("prompt", row["prompt"], 100_000)
    facts: dict[str, Any] = {name: row[name] for name in _FACTS if row.get(name)}
    if "rank" in columns:
        rank = _rank(row["rank"])
    elif not row[_STARS]:
        return
    else:
        rank, facts["coarse"] = _rank_of_stars(row[_STARS]), True
    image = text_in("image", row["image"], least=1)
    ratings = {name: _number(name, row[name]) for name in _RATINGS if row.get(name)}
    groups.add(
        (prompt, facts.get("annotator"), facts.get("id")),
        where,
        image,
        rank,
        {"prompt": prompt, **facts},
        ratings,
        row.get("source", ""),
    )


def _rank(text: str) -> Any:
    return _number("rank", text) if text else None


def _rank_of_stars(text: str) -> int:
    if text not in tuple("012345"):
        raise FieldError(_STARS, repr(text[:40]), "0 to 5, or nothing")
    return rank_of_stars(int(text))


def _number(field: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise FieldError(field, repr(text[:40]), "a number") from None
    return number_in(field, number)


FORMAT = Format(
    name="csv",
    title="a table with the columns prompt, image and rank or stars",
    recognise=_recognise,
    read=_read,
)
