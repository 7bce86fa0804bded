"""Rankings out of a person's own folder: what was kept above what was rejected, and pictures with more stars above those with fewer.

Prompts are those of the pictures: from the text file beside each, or from its metadata.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from imagereward_core.errors import CuratorError
from imagereward_core.files import STORE_FOLDER
from imagereward_core.images.suffixes import is_picture_name
from imagereward_core.library.curate.buckets import REJECTED
from imagereward_core.library.curate.candidates import apart
from imagereward_core.library.curate.options import KEPT, CurateOptions
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.records import Query
from imagereward_core.metadata.prompt_finder import PromptFinder

from ..form import FieldError, text_in
from ..notes import Notes
from ..ranking import Ranking
from .format import Format
from .grouping import Grouping, of_several, rank_of_stars


def _recognise_curated(path: Path) -> bool:
    return all((path / name).is_dir() for name in (KEPT, REJECTED))


def _read_curated(path: Path, notes: Notes) -> Iterator[Ranking]:
    groups, find = Grouping(), PromptFinder(None)
    for rank, name in enumerate((KEPT, REJECTED), 1):
        for picture in pictures_below(path / name):
            found = find(picture)
            _add(groups, path, picture, found.seen, found.problem, rank, notes)
    yield from of_several(groups.rankings(notes), notes)


def _recognise_stars(path: Path) -> bool:
    place = path / STORE_FOLDER
    if not (place / FILE_NAME).is_file():
        return False
    try:
        with Library.look(place, root=path.absolute()) as library:
            return any(row.stars is not None for row in library.rows(Query(folder=path.absolute())))
    except CuratorError:
        return False


def _read_stars(path: Path, notes: Notes) -> Iterator[Ranking]:
    root, groups = path.absolute(), Grouping()
    if not (path / STORE_FOLDER / FILE_NAME).is_file():
        notes.add(
            str(path),
            "found no library; expected one with stars. 'imagereward stars --help' says how pictures get some",
        )
        return
    with Library.look(path / STORE_FOLDER, root=root) as library:
        rows = [row for row in library.rows(Query(folder=root, order="name")) if row.stars is not None]
        destinations = CurateOptions().destinations(root)
        for index in apart(library, rows, [destinations.home(row.path) for row in rows]).judged:
            row = rows[index]
            _add(
                groups,
                root,
                row.path,
                row.generated.prompt,
                row.generated.problem,
                rank_of_stars(row.stars or 0),
                notes,
            )
    yield from of_several(groups.rankings(notes), notes)


def pictures_below(folder: Path) -> Iterator[Path]:
    """Files with a name of a picture in a folder and below it, in order; nothing in folders whose name begins with a dot."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if is_picture_name(name):
                yield Path(where, name)


def _add(
    groups: Grouping, root: Path, picture: Path, prompt: str, problem: str, rank: int, notes: Notes
) -> None:
    name = picture.relative_to(root).as_posix()
    try:
        if problem or not prompt:
            raise FieldError(
                "prompt",
                problem or "nothing",
                "the prompt, in a text file beside the picture or in its metadata",
            )
        facts = {"prompt": text_in("prompt", prompt, 100_000), "coarse": True}
        groups.add(prompt, name, text_in("name", name), rank, facts)
    except FieldError as error:
        notes.add(name, str(error))


CURATED = Format(
    name="curated",
    title="a folder with kept and rejected pictures, as 'imagereward curate' makes it",
    recognise=_recognise_curated,
    read=_read_curated,
)
STARS = Format(
    name="stars",
    title="a folder whose library has stars, as 'imagereward stars' gives them",
    recognise=_recognise_stars,
    read=_read_stars,
)
