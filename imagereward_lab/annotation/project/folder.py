"""The folder of a project: a small file that says where its store and its pictures are, and by default the store itself."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from imagereward_core.files import STORE_FOLDER
from imagereward_core.files.regular import read_regular
from imagereward_core.files.whole import written_whole

from ...data.form import shown
from ...data.strict_json import loads
from ..records import AnnotationError
from ..store.database import Database, database_url, sqlite_url
from ..store.tasks import settings
from ..store.turns import Terms
from .options import ProjectOptions

FILE, STORE = "project.json", "annotations.sqlite3"
QUICK_FOLDER = "quick"
"""In the folder for stores of a folder of pictures: the project of its own quick mode."""
KIND = "imagereward annotation project"
_MOST_BYTES = 2**20


@dataclass(frozen=True)
class ProjectFile:
    """What stands in the file of a project.

    Attributes:
        images: Folder of the pictures; a relative one counts from the project's folder.
        database: URL of its database without a password; empty for the SQLite file beside.
        library: Folder of the library whose answers to quick questions are the project's, as for a folder's own quick mode; a relative
            one counts from the project's folder. Empty for a project that keeps them itself.
    """

    images: str
    database: str = ""
    library: str = ""

    def library_of(self, folder: Path) -> Path | None:
        """Where the library is, for the project in ``folder``; None for a project that keeps its answers itself."""
        return Path(os.path.normpath(folder / self.library)) if self.library else None

    def write(self, folder: Path) -> None:
        """Puts the file into a folder."""
        content: dict[str, Any] = {
            "kind": KIND,
            "schema_version": 1,
            "images": self.images,
            "database": self.database,
            **({"library": self.library} if self.library else {}),
        }
        with written_whole(folder / FILE) as temporary:
            temporary.write_text(json.dumps(content, ensure_ascii=True, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ProjectFile:
        """The file of a folder.

        Raises:
            AnnotationError: There is none, or it is another file.
        """
        path = folder / FILE
        try:
            content = loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
        except FileNotFoundError:
            raise AnnotationError(
                "no_project",
                f"{folder}: found no {FILE}; expected the folder of a project. Make one with: imagereward annotate new {folder} --from "
                "PICTURES",
            ) from None
        except (OSError, ValueError) as error:
            raise AnnotationError("no_project", f"{path}: cannot be read ({error})") from error
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise AnnotationError(
                "no_project", f"{path}: found {shown(content)}; expected a file of a project"
            )
        if content.get("schema_version") != 1:
            raise AnnotationError(
                "newer_project",
                f"{path}: found version {shown(content.get('schema_version'))}; expected 1. Update this program",
            )
        images, database, library = (content.get(name, "") for name in ("images", "database", "library"))
        if not ("images" in content and all(isinstance(each, str) for each in (images, database, library))):
            raise AnnotationError("no_project", f"{path}: images, database and library have to be texts")
        return cls(images, database, library)


def is_project(folder: Path) -> bool:
    """Whether a folder is one of a project."""
    return (folder / FILE).is_file()


def project_folder(folder: Path) -> Path:
    """The folder of the project that a folder means: its own quick mode for one of pictures that has been asked about."""
    quick = folder / STORE_FOLDER / QUICK_FOLDER
    return quick if not is_project(folder) and is_project(quick) else folder


def url_of(folder: Path, database: str) -> URL:
    """Where the store of a project is."""
    return database_url(database) if database else sqlite_url(folder.absolute() / STORE)


def without_password(text: str) -> tuple[str, bool]:
    """A URL without its password, and whether it had one. Passwords are left to PostgreSQL's own ways: .pgpass, or PGPASSWORD."""
    url = database_url(text)
    had = url.password is not None
    kept = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, {**url.query})
    return kept.render_as_string(hide_password=False), had


class Project:
    """A project that is open.

    Attributes:
        images: Folder of the pictures.
        library: Folder of the library whose answers are the project's, see :class:`ProjectFile`; None for a project with its own.

    Args:
        folder: Its folder.
        images: Folder of the pictures, where it is another one on this computer.

    Raises:
        AnnotationError: There is no project.
        StoreError: Its store cannot be used.
    """

    def __init__(self, folder: Path, images: Path | None = None) -> None:
        self.folder = folder.absolute()
        file = ProjectFile.read(self.folder)
        self.images = images if images is not None else Path(os.path.normpath(self.folder / file.images))
        self.library = file.library_of(self.folder)
        self.database = Database(url_of(self.folder, file.database))
        try:
            self.options = ProjectOptions.read(self.database.read(settings))
        except BaseException:
            self.database.close()
            raise

    @property
    def terms(self) -> Terms:
        """Leases and quotas."""
        options = self.options
        return Terms(seed=options.seed, lease=60 * options.lease_minutes, skips=options.skips)

    def close(self) -> None:
        """Lets go of the store."""
        self.database.close()
