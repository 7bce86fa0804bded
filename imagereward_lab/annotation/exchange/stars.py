"""Stars of the pictures of quick mode, out as a table or into another library. They are those of the library that keys 0 to 5 set.

Nothing that somebody answered becomes stars: ratings of the protocol never do, and ranks are no stars either. The other way round stars of
a library are rankings (:data:`...data.readers.pictures.STARS`), and so is the table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.records import Query

from ..project.folder import Project
from ..protocol.keys import QUICK
from ..records import AnnotationError
from ..store.tasks import all_tasks


@dataclass(frozen=True)
class Starred:
    """A picture with stars: its name in the project, its prompt, the hash of its pixels, and 0 to 5."""

    name: str
    prompt: str
    content: str
    stars: int


@dataclass
class GivenStars:
    """What was done with stars in another library.

    Attributes:
        given: Pictures that have them now.
        same: Those that had the same already.
        unknown: Those that the library does not know.
        kept: Those that had others, which stay: name, stars there, stars here.
    """

    given: int = 0
    same: int = 0
    unknown: int = 0
    kept: list[tuple[str, int, int]] = field(default_factory=list)


def stars_of(project: Project) -> list[Starred]:
    """Stars of the project's pictures, by prompt and then by name, each content of a prompt once.

    Raises:
        AnnotationError: The project is not of quick mode, or its pictures have no library.
        StoreError: The library cannot be read.
    """
    if project.options.mode != QUICK:
        raise AnnotationError(
            "no_stars",
            f"{project.folder} asks {project.options.mode}; stars are given in quick mode alone, and ratings never become any. "
            f"'imagereward stars {project.images}' lists those of the folder's library",
        )
    place = _place(project)
    if not (place / FILE_NAME).is_file():
        raise AnnotationError(
            "no_library", f"{project.images} has no library, which keeps stars; nobody has given any"
        )
    root = project.images
    found: dict[tuple[str, str], Starred] = {}
    with Library.look(place, root=root) as library:
        rows = {row.path: row for row in library.rows(Query(folder=root, order="name"))}
    for task in project.database.read(all_tasks):
        for name in sorted(task.names):
            row = rows.get(root / name)
            if row is not None and row.stars is not None:
                prompt = task.prompt or row.generated.prompt  # across prompts a task has none
                found.setdefault((prompt, row.content), Starred(name, prompt, row.content, row.stars))
    return sorted(found.values(), key=lambda each: (each.prompt, each.name))


def table_of_stars(found: Sequence[Starred], prefix: str) -> str:
    """Stars as CSV with the columns prompt, image and stars, as 'imagereward rankings' reads it; names begin with ``prefix``."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("prompt", "image", "stars"))
    writer.writerows((each.prompt, f"{prefix}{each.name}", each.stars) for each in found)
    return stream.getvalue()


def give_stars(
    project: Project,
    found: Sequence[Starred],
    folder: Path,
    *,
    replace: bool = False,
    data: Path | None = None,
) -> GivenStars:
    """Gives pictures of the same pixels in another library their stars.

    Args:
        project: Where they are from.
        found: As :func:`stars_of` gives them.
        folder: One with a library in it, or that of a library's store.
        replace: Whether stars that are there already and differ are replaced; they are kept otherwise.
        data: The user's own folder for this program, which vouches for libraries.

    Raises:
        AnnotationError: There is no library, or it is the project's own.
        StoreError: It cannot be written.
    """
    place = folder if (folder / FILE_NAME).is_file() else folder / STORE_FOLDER
    if not (place / FILE_NAME).is_file():
        raise AnnotationError(
            "no_library",
            f"{folder}: found no library; expected a folder that has one, or a file to write. 'imagereward stars {folder} --import' makes "
            "one",
        )
    if place.resolve() == _place(project).resolve():
        raise AnnotationError("own_library", f"{folder}: the stars are in this library already")
    done = GivenStars()
    with Library.open(place, root=None if place == folder else folder, data=data) as library:
        known = {row.content: row.stars for row in library.rows(Query()) if row.content}
        for each in found:
            there = known.get(each.content)
            if each.content not in known:
                done.unknown += 1
            elif there == each.stars:
                done.same += 1
            elif there is not None and not replace:
                done.kept.append((each.name, there, each.stars))
            else:
                library.set_stars(each.content, each.stars)
                done.given += 1
    return done


def _place(project: Project) -> Path:
    """Where the library of the project's pictures is."""
    return project.library or project.images / STORE_FOLDER
