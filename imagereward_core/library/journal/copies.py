"""Files that the journal knows as copies or links that runs have made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...files.values import Name
from .journal import Journal
from .roots import read_path

_AT_ONCE = 500
_GIVING = "kind IN ('copy', 'hardlink', 'symlink', 'move') AND parent IS NULL AND state = 'done'"

Giver = tuple[int, str, Path]
"""A step that gave a file its name: its number, its kind, and the file it started from."""


def copied_from(journal: Journal, paths: Iterable[Path]) -> dict[Path, Path]:
    """For some files, the originals of those that are copies or links of a run that stands, also where a run has moved them since.

    Only the journal is asked: whether a file still is what was made has to be seen from the file.

    Args:
        journal: The journal; opened for looking is enough.
        paths: The files, absolute.
    """
    found: dict[Path, Path] = {}
    asked = [(path, path, 1 << 62) for path in paths]
    while asked:
        givers = _givers(journal, [where for _, where, _ in asked])
        moved = []
        for path, where, before in asked:
            steps = [step for step in givers.get(journal.root.stored(where), ()) if step[0] < before]
            if steps:
                number, kind, source = max(steps)
                if kind == "move":
                    moved.append((path, source, number))
                else:
                    found[path] = source
        asked = moved
    return found


def _givers(journal: Journal, paths: Sequence[Path]) -> dict[Name, list[Giver]]:
    """The steps that gave files their names, by the name as it is stored."""
    found: dict[Name, list[Giver]] = {}
    names = list(dict.fromkeys(map(journal.root.stored, paths)))
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        with journal.custody.database.reading() as connection:
            rows = connection.execute(
                f"SELECT made, id, kind, source, run FROM steps WHERE made IN ({', '.join('?' * len(some))}) AND {_GIVING}",
                some,
            ).fetchall()
        for made, number, kind, source, run in rows:
            known = journal.custody.run(run)
            path, flaw = read_path(source, known.folder)
            if not (flaw or known.flaw):  # of another folder, or none of ours
                found.setdefault(made, []).append((number, kind, path))
    return found
