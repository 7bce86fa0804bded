"""Scores written into picture files as plans of byte splices, and ratings in XMP files beside them."""

from __future__ import annotations

from .plan import can_be_edited, plan_edit, plan_removal, plan_stream
from .splice import Splice, apply, copy_applied, reversed_splices

__all__ = [
    "Splice",
    "apply",
    "can_be_edited",
    "copy_applied",
    "plan_edit",
    "plan_removal",
    "plan_stream",
    "reversed_splices",
]
