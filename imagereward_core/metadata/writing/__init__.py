"""Scores written into picture files as plans of byte splices, and ratings in XMP files beside them."""

from __future__ import annotations

from .plan import can_be_edited, plan_edit, plan_removal, plan_stream
from .splice import Splice, apply, copy_applied, reversed_splices
from .xmp import XmpRating, read_xmp, sidecar_paths, sidecars_of, stars_of, xmp_with_rating

__all__ = [
    "Splice",
    "XmpRating",
    "apply",
    "can_be_edited",
    "copy_applied",
    "plan_edit",
    "plan_removal",
    "plan_stream",
    "read_xmp",
    "reversed_splices",
    "sidecar_paths",
    "sidecars_of",
    "stars_of",
    "xmp_with_rating",
]
