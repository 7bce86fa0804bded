"""Tasks of a project and their pictures."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ..records import GoneError, Picture, Task
from .audit import note
from .tables import IMAGES, PROJECT, TASK_IMAGES, TASKS

_AT_ONCE = 500
_ID_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class NewImage:
    """A picture of a new task.

    Attributes:
        name: Relative to the project's folder of pictures.
        source: What made it, or who picked it; empty where that is not asked about.
    """

    name: str
    source: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task to be added.

    Attributes:
        key: Its name, unique in the project, which exports carry.
        mode: A key of ``MODES``.
        prompt: What the pictures were made for; empty in quick mode across prompts.
        images: Its pictures.
        people: How many people are asked.
        test: Whether it belongs to the test before admission, which is asked of everybody.
    """

    key: str
    mode: str
    prompt: str
    images: Sequence[NewImage]
    people: int
    translation: str = ""
    test: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredTask:
    """A task as it is kept, its pictures in their own order."""

    id: int
    key: str
    mode: str
    prompt: str
    translation: str
    people: int
    test: bool
    images: tuple[Picture, ...]
    names: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the pictures."""
        return tuple(picture.id for picture in self.images)

    def shown(self, person: int, seed: int) -> tuple[Picture, ...]:
        """The pictures in the order in which somebody is shown them: by chance, and the same each time, so that places tell nothing."""
        shuffled = list(self.images)
        random.Random(f"{seed}/{self.key}/{person}").shuffle(shuffled)
        return tuple(shuffled)

    def task(
        self,
        person: int,
        seed: int,
        *,
        draft: Mapping[str, Any] | None = None,
        lease_ends: float = 0.0,
        note: str = "",
    ) -> Task:
        """What this person sees of it."""
        return Task(
            id=self.id,
            mode=self.mode,
            prompt=self.prompt,
            translation=self.translation,
            images=self.shown(person, seed),
            draft=draft,
            test=self.test,
            lease_ends=lease_ends,
            note=note,
        )


def add_tasks(connection: Connection, tasks: Iterable[NewTask], at: float) -> int:
    """Adds tasks behind those that are there, and returns how many. A picture that is known by its name keeps its id."""
    position = connection.execute(select(func.coalesce(func.max(TASKS.c.position), 0))).scalar_one()
    ids = _ids(connection)
    added = 0
    for task in tasks:
        _add_new(connection, task.images, ids)
        added += 1
        number = connection.execute(
            TASKS.insert()
            .values(
                key=task.key,
                mode=task.mode,
                prompt=task.prompt,
                translation=task.translation,
                position=position + added,
                people=task.people,
                test=task.test,
                open=True,
            )
            .returning(TASKS.c.id)
        ).scalar_one()
        connection.execute(
            TASK_IMAGES.insert(),
            [
                {"task_id": number, "place": place, "image_id": ids[image.name], "source": image.source}
                for place, image in enumerate(task.images)
            ],
        )
    if added:
        note(connection, at, None, "added tasks to", "project", tasks=added)
    return added


def add_images(connection: Connection, task: int, images: Sequence[NewImage]) -> None:
    """Adds those pictures to a task that it lacks. Only for quick mode: any other answer is about all pictures of its task."""
    held = {image.id for image in stored_task(connection, task).images}
    ids = _ids(connection)
    _add_new(connection, images, ids)
    new = [image for image in images if ids[image.name] not in held]
    for place, image in enumerate(new, len(held)):
        connection.execute(
            TASK_IMAGES.insert().values(
                task_id=task, place=place, image_id=ids[image.name], source=image.source
            )
        )


def count_of_images(connection: Connection) -> int:
    """Pictures of all tasks together: who remembers tasks sees by it whether some have come."""
    return connection.execute(select(func.count()).select_from(TASK_IMAGES)).scalar_one()


def _ids(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(IMAGES.c.id, IMAGES.c.name)).all()
    return {row.name: row.id for row in rows}


def _add_new(connection: Connection, images: Iterable[NewImage], ids: dict[str, str]) -> None:
    for image in images:
        if image.name not in ids:
            ids[image.name] = f"p{secrets.token_hex(_ID_BYTES)}"
            connection.execute(
                IMAGES.insert().values(
                    id=ids[image.name], name=image.name, width=image.width, height=image.height
                )
            )


def stored_task(connection: Connection, task: int) -> StoredTask:
    """A task.

    Raises:
        GoneError: There is none of that number.
    """
    row = connection.execute(select(TASKS).where(TASKS.c.id == task)).one_or_none()
    if row is None:
        raise GoneError("no_such_task", f"there is no task {task}; reload the page")
    return _stored(row, _images(connection, [task])[task])


def all_tasks(connection: Connection) -> list[StoredTask]:
    """All tasks, in their order."""
    rows = connection.execute(select(TASKS).order_by(TASKS.c.position)).all()
    found: list[StoredTask] = []
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        images = _images(connection, [row.id for row in some])
        found += [_stored(row, images[row.id]) for row in some]
    return found


def number_of(connection: Connection, key: str) -> int | None:
    """The number of the task of a key; None where there is none."""
    return connection.execute(select(TASKS.c.id).where(TASKS.c.key == key)).scalar_one_or_none()


def keys(connection: Connection) -> dict[str, int]:
    """Numbers of all tasks by their keys."""
    rows = connection.execute(select(TASKS.c.key, TASKS.c.id)).all()
    return {row.key: row.id for row in rows}


def lock_task(connection: Connection, task: int) -> None:
    """Has what others do with the task wait for this transaction."""
    connection.execute(select(TASKS.c.id).where(TASKS.c.id == task).with_for_update()).one_or_none()


def image_name(connection: Connection, image: str) -> str | None:
    """The name of the picture of an id."""
    return connection.execute(select(IMAGES.c.name).where(IMAGES.c.id == image)).scalar_one_or_none()


def settings(connection: Connection) -> dict[str, Any]:
    """The project's settings."""
    row = connection.execute(select(PROJECT.c.value).where(PROJECT.c.key == "settings")).scalar_one_or_none()
    return {} if row is None else json.loads(row)


def keep_settings(connection: Connection, values: Mapping[str, Any]) -> None:
    """Writes the settings of a new project."""
    connection.execute(PROJECT.insert().values(key="settings", value=json.dumps(values, sort_keys=True)))


def _images(connection: Connection, tasks: Sequence[int]) -> dict[int, list[Any]]:
    rows = connection.execute(
        select(
            TASK_IMAGES.c.task_id,
            TASK_IMAGES.c.source,
            IMAGES.c.id,
            IMAGES.c.name,
            IMAGES.c.width,
            IMAGES.c.height,
        )
        .join(IMAGES, IMAGES.c.id == TASK_IMAGES.c.image_id)
        .where(TASK_IMAGES.c.task_id.in_(tasks))
        .order_by(TASK_IMAGES.c.task_id, TASK_IMAGES.c.place)
    )
    found: dict[int, list[Any]] = {task: [] for task in tasks}
    for row in rows:
        found[row.task_id].append(row)
    return found


def _stored(row: Row[Any], images: Sequence[Row[Any]]) -> StoredTask:
    return StoredTask(
        id=row.id,
        key=row.key,
        mode=row.mode,
        prompt=row.prompt,
        translation=row.translation,
        people=row.people,
        test=row.test,
        images=tuple(Picture(id=each.id, width=each.width, height=each.height) for each in images),
        names=tuple(each.name for each in images),
        sources=tuple(each.source for each in images),
    )
