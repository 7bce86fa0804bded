"""Rankings as JSON Lines: one ranking a line, in the documented form (``docs/rankings.md``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagereward_core.files.regular import open_regular
from imagereward_core.plain import encodable
from imagereward_core.report.replace import replacing

from .form import FieldError, object_of, ranking_of
from .notes import Notes
from .ranking import Ranking, RankingError
from .strict_json import loads

MOST_LINE = 16 * 2**20
"""Bytes of one line; what is longer is no ranking."""


def read_rankings(path: Path, notes: Notes | None = None) -> Iterator[Ranking]:
    """The rankings of a file, one after another, however large it is.

    Args:
        path: The file.
        notes: Where lines that are not in the form are noted, with the reason; the rest goes on. Without it the first one raises.

    Raises:
        RankingError: A line is not in the form; the text names file, line, field, what was found and what was expected.
        OSError: The file cannot be read.
    """
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            if len(line) > MOST_LINE:
                raise ValueError(f"found a line of more than {MOST_LINE:,} bytes; expected a ranking")
            yield ranking_of(loads(line.decode("utf-8-sig" if number == 1 else "utf-8")))
        except (FieldError, ValueError) as error:
            reason = (
                "found text that is not UTF-8; expected UTF-8"
                if isinstance(error, UnicodeDecodeError)
                else str(error)
            )
            if notes is None:
                raise RankingError(f"{where}: {reason}") from error
            notes.add(where, reason)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines without end are cut one byte beyond ``MOST_LINE``, and the rest of them is passed over."""
    with open_regular(path) as stream:
        while line := stream.readline(MOST_LINE + 1):
            yield line
            while len(line) > MOST_LINE and not line.endswith(b"\n"):
                line = stream.readline(MOST_LINE + 1)
                if not line:
                    return


def write_rankings(path: Path, rankings: Iterable[Ranking], *, overwrite: bool = False) -> int:
    """Writes rankings as they come; the file appears whole or not at all. Returns how many there were.

    Args:
        path: The file.
        rankings: What to write.
        overwrite: Whether a file that is there already may be replaced.

    Raises:
        OutputFileError: There is a file already that must stay.
        OSError: The file cannot be written.
    """
    count = 0
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for ranking in rankings:
            stream.write(line_of(ranking))
            count += 1
    return count


def line_of(ranking: Ranking) -> str:
    """The line of a ranking, with its end."""
    return json.dumps(encodable(object_of(ranking)), ensure_ascii=False, allow_nan=False) + "\n"
