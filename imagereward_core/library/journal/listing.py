"""What a journal tells without touching anything: steps that would not be acted on, with the reasons, and files known as copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from ...files.values import Name
from .custody import LeadsOut
from .files import Refused
from .journal import Journal
from .presence import fits
from .roots import read_path
from .runs import latest_standing
from .steps import StepInfo

STANDING = "state IN ('doing', 'ready', 'done', 'undoing', 'restoring')"
_WAITING = f"{STANDING} OR (parent IS NOT NULL AND state = 'planned')"
MOST_LOOKED_AT = 20_000
_MOST_PASSED_OVER = 500
_AT_ONCE = 500
_GIVING = "kind IN ('copy', 'hardlink', 'symlink', 'move') AND parent IS NULL AND state = 'done'"

Giver = tuple[int, str, Path]
"""A step that gave a file its name: its number, its kind, and the file it started from."""


def refused(
    journal: Journal, run: int | None = None, most: int = MOST_LOOKED_AT
) -> list[tuple[int, StepInfo, str]]:
    """Steps that would be left untouched, latest first: run, step and reason.

    Only ``most`` of the latest steps are looked at, and as many of those that a process left half done.
    """
    which, values = ("1", ()) if run is None else ("run = ?", (run,))
    found = []
    seen = set()
    half_done = (
        "state IN ('doing', 'ready', 'undoing', 'restoring') OR (parent IS NOT NULL AND state = 'planned')"
    )
    for condition, number in ((half_done, most), (_WAITING, most)):
        records = journal.records(f"({condition}) AND {which}", values, backwards=True)
        for record in islice(records, number):
            if record.id in seen:
                continue
            seen.add(record.id)
            try:
                journal.custody.admit(record)
            except Refused as error:
                found.append((record.run, record.info, str(error)))
    return found


def elsewhere(journal: Journal, after: int = 0) -> list[tuple[int, Path]]:
    """Runs of other folders in the same store that stand, latest first, each with its folder: the latest of each, and not all of many.

    Only runs behind the run ``after`` are looked at.
    """
    found: dict[Path, int] = {}
    before = 0
    for _ in range(_MOST_PASSED_OVER):
        with journal.custody.database.reading() as connection:
            run = latest_standing(connection, before)
        if run is None or run <= after:
            break
        about = None if journal.custody.concerns(run) else journal.custody.about(run)
        if about is not None:
            found.setdefault(about, run)
        before = run
    return [(run, about) for about, run in found.items()]


def leading_out(journal: Journal, run: int) -> list[StepInfo]:
    """Steps of a run that are left untouched for the one reason that they lead out of the folder and nothing vouches for them."""
    if journal.custody.run(run).doubt and fits(journal, run):
        journal.custody.trust(run)
    found = []
    for record in journal.records(f"run = ? AND ({STANDING})", (run,)):
        try:
            journal.custody.admit(record)
        except LeadsOut:
            found.append(record.info)
        except Refused:
            continue
    return found


def copied_from(journal: Journal, paths: Iterable[Path]) -> dict[Path, Path]:
    """For some files, the originals of those that are copies or links of a run that stands, also where a run has moved them since.

    Only the journal is asked: whether a file, named by its absolute path, still is what was made has to be seen from the file.
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
