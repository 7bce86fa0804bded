"""The prompts of pictures: of a library, where a folder has one, else out of the pictures themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from imagereward_core.files import STORE_FOLDER
from imagereward_core.files.values import absolute
from imagereward_core.images.suffixes import is_picture_name
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.store.records import Query
from imagereward_core.metadata.prompt_finder import PromptFinder

from ...data.notes import Notes
from .source import Source


def has_library(folder: Path) -> bool:
    """Whether a folder was scored or curated, so that its prompts are known."""
    return (folder / STORE_FOLDER / FILE_NAME).is_file()


def library_rows(folder: Path) -> Source:
    """The prompts of its library, in the order of paths, without generator syntax; nothing is written and no picture is read."""

    def rows(notes: Notes) -> Iterator[str | None]:
        root = absolute(folder)
        with Library.look(folder / STORE_FOLDER, root=root) as library:
            for row in library.rows(Query(folder=root, order="name")):
                yield row.generated.prompt

    return Source("a folder with a library of pictures that have prompts", rows)


def picture_rows(folder: Path) -> Source:
    """The prompts of all pictures in a folder and below, from the text file beside each or its metadata, without generator syntax."""

    def rows(notes: Notes) -> Iterator[str | None]:
        find = PromptFinder(None)
        for where, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(filter(is_picture_name, files)):
                yield find(Path(where, name)).seen

    return Source("a folder with pictures that have prompts", rows)
