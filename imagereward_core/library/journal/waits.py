"""Waiting for the disk: what a step needs on it before it goes on, for several steps at once.

A step is a generator: it does what costs no time and yields what has to be on the disk before it may go on. Steps that are taken
together get it together: one commit for all of their entries, one write of a folder's names for all files in it. What each of them
does, in which order, and what it does when something fails, is the same as if it were alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Union

from . import files
from .journal import Journal
from .records import Record

_SYNCS_AT_ONCE = 32
"""A disk that is asked for several at once flushes its cache once for them."""


@dataclass(frozen=True)
class Entry:
    """Goes on when records, as they are now, are in the journal, on the disk, with folders about to be made for the run of the first."""

    records: tuple[Record, ...]
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Written:
    """Goes on when the bytes of a hidden file are on the disk; raises the OSError where they cannot be brought there."""

    temporary: Path


@dataclass(frozen=True)
class Named:
    """Goes on when the names in a folder are on the disk, where the system can."""

    folder: Path


@dataclass(frozen=True)
class Turn:
    """Goes on when no other step is under way. The answer says whether there was one: then the files may be others now."""


Wait = Union[Entry, Written, Named, Turn]
Answer = Union[bool, OSError, None]
Work = Generator[Wait, Union[bool, None], None]


def work_together(journal: Journal, works: Iterable[Work]) -> None:
    """Brings steps to their end that do not work with the same files.

    Raises:
        CuratorError: The journal cannot be written. No step goes on; their hidden files are removed.
    """
    under_way = list(works)
    held: list[Work] = []
    answers: dict[Work, Answer] = {}
    try:
        while under_way or held:
            if not under_way:
                under_way = [held.pop(0)]
                answers = {under_way[0]: True}
            waits = {}
            for work in under_way:
                try:
                    waits[work] = _go_on(work, answers.get(work))
                except StopIteration:
                    pass
            alone = len(waits) + len(held) == 1
            turns = [work for work, wait in waits.items() if isinstance(wait, Turn) and not alone]
            held += turns
            under_way = [work for work in waits if work not in turns]
            answers = _serve(journal, {work: waits[work] for work in under_way})
    except BaseException:
        # Each removes its hidden file; what is in the journal is settled when it is next opened.
        for work in (*under_way, *held):
            work.close()
        raise


def _go_on(work: Work, answer: Answer) -> Wait:
    return work.throw(answer) if isinstance(answer, OSError) else work.send(answer)


def _serve(journal: Journal, waits: dict[Work, Wait]) -> dict[Work, Answer]:
    """Brings everything onto the disk that is waited for; returns what could not be brought there."""
    answers: dict[Work, Answer] = {}
    entries = [wait for wait in waits.values() if isinstance(wait, Entry)]
    records = [record for entry in entries for record in entry.records]
    journal.write(*records, folders=dict.fromkeys(folder for entry in entries for folder in entry.folders))
    written = {work: wait.temporary for work, wait in waits.items() if isinstance(wait, Written)}
    folders = {wait.folder for wait in waits.values() if isinstance(wait, Named)}
    syncs: list[Callable[[], OSError | None]] = [partial(_sync, path) for path in written.values()]
    syncs += [partial(files.sync_folder, folder) for folder in folders]
    with ThreadPoolExecutor(min(_SYNCS_AT_ONCE, len(syncs)) or 1) as threads:
        each = threads.map if len(syncs) > 1 else map
        errors = list(each(lambda sync: sync(), syncs))
    answers.update(zip(written, errors, strict=False))
    return answers


def _sync(temporary: Path) -> OSError | None:
    try:
        files.sync_file(temporary)
    except OSError as error:
        return error
    return None
