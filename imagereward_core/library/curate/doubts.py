"""Warnings about a plan before it is carried out, where taking it back would not be simple."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..journal.roots import Root
from ..journal.trust import key_problem

if TYPE_CHECKING:
    from ..library import Library
    from .plan import Curation


def doubts(library: Library, curation: Curation) -> str:
    """Why a plan could not be taken back as easily as others; empty where nothing does.

    Steps that lead out of the folder are signed with the user's own key, and that may be damaged, or its folder out of use.
    """
    problem = key_problem(library.data)
    root = Root(library.beside, library.root)
    ends = {placing.end.parent / "x": False for placing in curation.placings}
    return problem if problem and root.folder is not None and root.outside(ends.items()) else ""
