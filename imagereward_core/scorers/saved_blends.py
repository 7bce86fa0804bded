"""Saved blends, found in several models folders one after another, as weights are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from .blend import Blend, BlendError
from .blend_file import BlendFile, same_name

log = logging.getLogger(__name__)


class SavedBlends:
    """All blends of some folders; of two with one name that of the earlier folder counts.

    A file that cannot be read hides nothing in other folders; the error about a blend that is nowhere names it.

    Args:
        folders: Models folders, in the order in which they are searched.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.files = [BlendFile(folder) for folder in dict.fromkeys(folders)]

    def names(self) -> list[str]:
        """Their names, in order."""
        found: dict[str, str] = {}
        for file in self.files:
            try:
                for name in file.load()[0]:
                    found.setdefault(same_name(name), name)
            except BlendError as error:
                log.warning("saved blends are not listed: %s", error)
        return list(found.values())

    def get(self, name: str) -> Blend:
        """The blend of that name; letter case does not matter.

        Raises:
            BlendError: There is none, or its entry cannot be read.
        """
        wanted, elsewhere = same_name(name), []
        for file in self.files:
            try:
                blends, problems = file.load()
            except BlendError as error:
                elsewhere.append(str(error))
                continue
            saved = next((each for each in (*blends, *problems) if same_name(each) == wanted), None)
            if saved in blends:
                return blends[saved]
            if saved is not None:
                raise BlendError(problems[saved])
            if file.path.is_file():
                elsewhere.append(f"in {file.path} there is {', '.join(blends) or 'none'}")
        where = "; ".join(elsewhere) or f"none is saved in {', '.join(str(file.path) for file in self.files)}"
        raise BlendError(f"no blend is called {name!r}: {where}")
