"""Folders that bring a journal of a stranger's making, one function for each trick.

``make(folder, outside)`` of every entry in ``TRICKS`` fills an empty ``folder`` with a picture and a store, and ``outside`` with files of a
person, none of which, in either place, may be changed, read into the other place or removed by whatever is done with the folder. It returns
what the trick is. Used by the tests and by ``hostile_tests``.
"""

from __future__ import annotations

from . import rows, stores, values
from .journal import PICTURE, TRICKS, Row, bring, seen, splices

__all__ = ["PICTURE", "TRICKS", "Row", "bring", "rows", "seen", "splices", "stores", "values"]
