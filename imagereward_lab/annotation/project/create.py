"""Makes the folder and the store of a project out of tasks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from ..records import AnnotationError
from ..store.database import Database
from ..store.tasks import NewTask, add_tasks, keep_settings, settings
from .folder import STORE, ProjectFile, is_project, url_of, without_password
from .options import ProjectOptions


def check_free(folder: Path) -> None:
    """Makes sure that a project can be made in a folder.

    Raises:
        AnnotationError: There is one, or a file of its name.
    """
    if is_project(folder):
        raise AnnotationError(
            "project_exists",
            f"{folder}: there is a project already, which stays as it is; give the new one another name",
        )
    if folder.exists() and not folder.is_dir():
        raise AnnotationError("no_folder", f"{folder}: found a file; expected the name of a new folder")


def is_begun(folder: Path) -> bool:
    """Whether a project was made whole but for its file, which comes last: its making was broken off.

    Raises:
        StoreError: What lies there is no store.
    """
    if is_project(folder) or not (folder / STORE).is_file():
        return False
    store = Database(url_of(folder, ""), create=True)
    try:
        return bool(store.read(settings))
    finally:
        store.close()


def create(
    folder: Path,
    images: Path,
    options: ProjectOptions,
    tasks: Sequence[NewTask],
    now: float,
    database: str = "",
    library: Path | None = None,
) -> None:
    """Makes a project; its store is whole or empty, and its file, without which there is no project, comes last.

    Args:
        folder: Of the project; made where it is missing.
        images: Folder of the pictures, which stay there.
        options: Settings.
        tasks: What is asked, in the order in which it is given.
        now: Unix time in seconds.
        database: URL of a PostgreSQL database that is this project's alone; empty for an SQLite file in the folder.
        library: Where the library is whose answers to quick questions are the project's; None for a project with its own.

    Raises:
        AnnotationError: There is a project already, in the folder or in the database.
        StoreError: The database cannot be used.
        OSError: The folder cannot be written.
    """
    check_free(folder)
    kept, _ = without_password(database) if database else ("", False)
    folder.mkdir(parents=True, exist_ok=True)
    store = Database(url_of(folder, database), create=True)

    def fill(connection: Connection) -> None:
        if settings(connection):
            raise AnnotationError(
                "project_exists",
                f"{store.name}: there is a project in this database already; give this one a database of its own"
                if database
                else f"{store.name}: found the store of a project whose making was broken off; give the new one another name",
            )
        keep_settings(connection, options.plain())
        add_tasks(connection, tasks, now)

    try:
        store.write(fill)
    finally:
        store.close()
    file_of(folder, images, kept, library).write(folder)


def file_of(folder: Path, images: Path, database: str = "", library: Path | None = None) -> ProjectFile:
    """The file of a project in a folder; see :func:`create`."""
    return ProjectFile(_beside(images, folder), database, "" if library is None else _beside(library, folder))


def _beside(other: Path, folder: Path) -> str:
    """Another folder as it is kept: from the project's folder where one lies in the other, so that both may be moved together."""
    home, root = folder.resolve(), other.resolve()
    if root == home or home in root.parents or root in home.parents:
        return Path(os.path.relpath(root, home)).as_posix()
    return str(other.absolute())
