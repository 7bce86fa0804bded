"""A new project out of pictures, and a folder's own quick mode, which takes in what is new whenever it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_core.library.places import first_library
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Query
from imagereward_core.plain import encodable

from ...data.prompts import prompt_key
from ...data.readers.pictures import pictures_below
from ..protocol.keys import PER_GENERATOR, TOP_PICKS
from ..records import AnnotationError
from ..store.database import Database
from ..store.tasks import NewTask, add_images, add_tasks, keys
from .candidates import MOST_PROMPT, Candidate, LeftOut, of_folder, of_table, rows_of_table
from .create import check_free, create, file_of, is_begun
from .draw import draw
from .folder import QUICK_FOLDER, ProjectFile, is_project, url_of
from .from_library import has_library, of_library, scorers_of
from .options import ProjectOptions

_BOTH_WAYS = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".parquet")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a project's pictures are from.

    Attributes:
        path: A folder, or a table.
        images: Folder of the pictures; the folder itself, or that of the table.
        kind: ``folder``, ``library`` or ``table``.
    """

    path: Path
    images: Path
    kind: str

    @classmethod
    def of(cls, path: Path, images: Path | None = None) -> Source:
        """What a path is.

        Raises:
            AnnotationError: There is nothing, or it is no table.
        """
        if path.is_dir():
            if images is not None:
                raise AnnotationError(
                    "bad_source", "--images goes with a table; pictures of a folder are in it"
                )
            return cls(path=path, images=path, kind="library" if has_library(path) else "folder")
        if not path.is_file():
            raise AnnotationError(
                "bad_source", f"{path}: there is no such file or folder; expected pictures or a table"
            )
        if path.suffix.lower() not in _BOTH_WAYS[1:]:
            raise AnnotationError(
                "bad_source",
                f"{path}: expected a folder, or a table as .csv, .tsv, .json, .jsonl or .parquet",
            )
        home = path.parent if images is None else images
        if not home.is_dir():
            raise AnnotationError(
                "bad_source", f"{home}: there is no such folder; expected the folder of pictures"
            )
        return cls(path=path, images=home, kind="table")

    def candidates(
        self, left_out: LeftOut, scorers: Sequence[str] = (), progress: Callable[[int], None] | None = None
    ) -> Iterator[Candidate]:
        """Its pictures; ``progress`` is told how many there were so far."""
        root = self.images.absolute()
        found = (
            of_library(root, left_out, scorers)
            if self.kind == "library"
            else of_folder(root, left_out)
            if self.kind == "folder"
            else of_table(self.path, root, left_out)
        )
        for number, each in enumerate(found, 1):
            yield each
            if progress is not None:
                progress(number)


def new_project(
    folder: Path,
    source: Source,
    options: ProjectOptions,
    now: float,
    *,
    prompts: Path | None = None,
    scorers: Sequence[str] = (),
    database: str = "",
    left_out: LeftOut,
    progress: Callable[[int], None] | None = None,
) -> list[NewTask]:
    """Makes a project, and returns its tasks. No picture is changed or copied.

    Args:
        folder: Of the project.
        source: Where the pictures are from.
        options: Settings.
        now: Unix time in seconds.
        prompts: A file with the prompts to ask about, and perhaps their translations; None for all.
        scorers: With ``top-picks`` whose picks are pooled, by default all of the library; with ``per-generator`` the one that chooses.
        database: URL of a PostgreSQL database; empty for a file in the folder.
        left_out: What is left out is counted there.
        progress: Told how many pictures were looked at.

    Raises:
        AnnotationError: There is a project already, or nothing to ask about.
        StoreError: A store or library cannot be used.
    """
    check_free(folder)
    needs_scores = options.mode == TOP_PICKS or bool(scorers)
    if needs_scores and source.kind != "library":
        raise AnnotationError(
            "no_scores",
            f"{source.path} has no library, and scores are read from one; make one with: "
            f"imagereward curate {source.path} -s ID --top 1 --dry-run",
        )
    if scorers and options.mode not in (TOP_PICKS, PER_GENERATOR):
        raise AnnotationError("bad_scorers", "--scorers goes with the modes top-picks and per-generator")
    if options.mode == TOP_PICKS and not scorers:
        scorers = scorers_of(source.images)
    scorers = list(dict.fromkeys(scorers))
    if options.mode == TOP_PICKS and len(scorers) < 2:
        raise AnnotationError(
            "no_scores",
            f"found scores by {', '.join(scorers) or 'no scorer'}; expected those of at least two scorers, whose picks are pooled. Score "
            f"the pictures with another first: imagereward curate {source.images} -s ID --top 1 --dry-run",
        )
    wanted = None if prompts is None else read_prompts(prompts, left_out)
    found = source.candidates(left_out, scorers, progress)
    tasks = draw(found, options, left_out, wanted=wanted, scorers=scorers)
    create(folder, source.images, options, tasks, now, database)
    return tasks


def read_prompts(path: Path, left_out: LeftOut) -> Mapping[str, str]:
    """The prompts that a file names, by key, with their translations: a text with one a line, or a table with a column ``prompt``.

    Raises:
        AnnotationError: It cannot be read, or names none.
    """
    if path.suffix.lower() == ".txt":
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise AnnotationError("bad_table", f"{path}: cannot be read ({error}); expected UTF-8") from error
        found = {prompt_key(line): "" for line in lines if line.strip()}
    else:
        found = {}
        for where, row in rows_of_table(path, left_out):
            prompt, translation = row.get("prompt"), row.get("translation")
            if not isinstance(prompt, str) or not 0 < len(prompt.strip()) <= MOST_PROMPT:
                left_out.add("rows of --prompts without a prompt", where)
                continue
            # Half a character, and one that ends texts, no database keeps; beside the prompt they say nothing.
            words = encodable(translation).replace("\0", "") if isinstance(translation, str) else ""
            found[prompt_key(prompt)] = words.strip()
    if not found:
        raise AnnotationError(
            "bad_table", f"{path}: found no prompt; expected one a line, or a column prompt"
        )
    return found


def open_quick(
    root: Path,
    options: ProjectOptions,
    now: float,
    left_out: LeftOut,
    *,
    store: Path | None = None,
    data: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """The project of a folder's own quick mode, made or brought up to date with the pictures that are there now.

    Its answers are those of the folder's library, which is made where there is none, and takes in pictures that it does not know yet;
    nothing is scored. What was answered stays, also of pictures that are gone.

    Args:
        root: The folder of pictures.
        options: Settings.
        now: Unix time in seconds.
        left_out: What is left out is counted there.
        store: Where the library is; None for where it was the last time, where that was not in the folder itself, else that of
            :func:`.places.first_library`.
        data: The user's own folder for this program, which vouches for libraries.
        progress: Told how many new pictures were looked at.

    Raises:
        AnnotationError: No prompt has two pictures.
        StoreError: Its store or the library cannot be used.
    """
    root = root.absolute()
    folder = root / STORE_FOLDER / QUICK_FOLDER
    kept = ProjectFile.read(folder) if is_project(folder) else None
    named = kept.library_of(folder) if kept else None
    # Its own may have been made, and said nothing yet, before the tab's was there.
    place = store or (named if named != root / STORE_FOLDER else None) or first_library(root)
    take_in(root, place, data, progress)
    tasks = draw(of_library(root, left_out, place=place), options, left_out)
    if kept is None and not is_begun(folder):
        create(folder, root, options, tasks, now, library=place)
        return folder
    of_its_own = kept.database if kept else ""
    database = Database(url_of(folder, of_its_own))

    def bring_up_to_date(connection: Connection) -> None:
        known = keys(connection)
        add_tasks(connection, [task for task in tasks if task.key not in known], now)
        for task in tasks:
            if task.key in known:
                add_images(connection, known[task.key], task.images)

    try:
        database.write(bring_up_to_date)
    finally:
        database.close()
    file = file_of(folder, root, of_its_own, place)
    if file != kept:
        file.write(folder)
    return folder


def take_in(
    root: Path, place: Path, data: Path | None = None, progress: Callable[[int], None] | None = None
) -> None:
    """Has a library know the pictures of a folder that are new; what it knows already is not looked at again.

    Raises:
        StoreError: The library cannot be used.
    """
    with Library.open(place, root=root, data=data) as library:
        known = {row.path for row in library.rows(Query(folder=root, order="name"))}
        new = tuple(path for path in pictures_below(root) if path not in known)
        if new:
            told = None if progress is None else lambda each: progress(each.done)
            library.scan([root], None, options=ScanOptions(files=new), progress=told)


def remark_of(folder: Path, data: Path | None = None) -> str:
    """What is to be said where the library of a folder's own quick mode, the project in ``folder``, was made elsewhere; else empty.

    Raises:
        StoreError: The library cannot be read.
    """
    file = ProjectFile.read(folder)
    place, root = file.library_of(folder), Path(os.path.normpath(folder / file.images))
    if place is None:
        return ""
    with Library.look(place, root=root, data=data) as library:
        return library.origin.remark()
