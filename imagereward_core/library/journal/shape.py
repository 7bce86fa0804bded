"""Checks that a row has the form of a step of ours; a journal may come from anybody, and anything else is refused."""

from __future__ import annotations

import re
from pathlib import Path

from ...images.suffixes import PICTURE_SUFFIXES
from ...metadata.writing.plan import editable_format
from .files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, Refused
from .records import Record
from .roots import too_long
from .runs import NUMBERS_END
from .sidecars import SIDECAR_SUFFIXES, is_companion
from .steps import GIVING

_TEMPORARY = re.compile(re.escape(TEMPORARY_PREFIX) + r"[0-9a-f]{16}" + re.escape(TEMPORARY_SUFFIX))


def check_shape(record: Record, parent: Record | None) -> None:
    """Refuses a record that no run of ours writes; ``parent`` is that of the picture it travels with, where it names one that exists.

    Raises:
        Refused: Something about it cannot be; the text says what.
    """
    if record.flaw:
        raise _refused(record, record.flaw)
    if max(record.id, record.run) >= NUMBERS_END:
        raise _refused(record, "has a number that none of ours reaches")
    if record.made is None and record.state not in ("planned", "skipped", "failed", "undone"):
        raise _refused(record, "names no file it made")
    for path in (record.source, record.target, record.made):
        if path is not None and _TEMPORARY.fullmatch(path.name):
            raise _refused(record, f"is about {path.name}, a hidden file of this program")
    # The name a picture is asked to get may be too long for any file system; it is shortened then.
    if any(map(too_long, (record.source, record.target.parent, record.made or record.source))):
        raise _refused(record, "has a name longer than file systems allow")
    _check_temporary(record)
    if record.kind in GIVING:
        if record.made is not None and record.made.parent != record.target.parent:
            raise _refused(record, f"made {record.made}, which is not where it was to go")
    elif record.parent is not None:
        raise _refused(record, f"is of kind {record.kind}; expected a text file that travels with a picture")
    if record.kind == "put":
        for path in (record.target, record.made):
            if path is not None and path.suffix.lower() not in SIDECAR_SUFFIXES:
                raise _refused(record, f"writes {path.name}; expected a {', '.join(SIDECAR_SUFFIXES)} file")
    if record.kind == "edit":
        for path in (record.target, record.made):
            if path is not None and path.suffix.lower() not in PICTURE_SUFFIXES:
                raise _refused(record, f"edits {path.name}; expected a picture")
    if record.parent is not None:
        _check_companion(record, parent)


def _check_temporary(record: Record) -> None:
    temporary = record.temporary
    if temporary is None:
        return
    if not _TEMPORARY.fullmatch(temporary.name):
        raise _refused(record, f"names the hidden file {temporary.name}; expected a name that we give")
    beside = [record.made] if record.kind != "move" else [record.made, record.source]
    if all(path is None or path.parent != temporary.parent for path in beside):
        raise _refused(record, f"names the hidden file {temporary}, which is not beside the file it is for")


def _check_companion(record: Record, parent: Record | None) -> None:
    if (
        parent is None
        or parent.flaw
        or parent.parent is not None
        or parent.run != record.run
        or parent.kind not in GIVING
        or record.kind not in (parent.kind, "copy")
    ):
        raise _refused(record, "travels with a picture that the journal does not know")
    if not is_companion(record.source, parent.source) or (
        parent.made is not None and not is_companion(record.target, parent.made)
    ):
        raise _refused(record, f"takes {record.source} along, which is no text file of {parent.source.name}")


def edited_format(path: Path) -> str:
    """The format of a picture that is to be edited.

    Raises:
        Refused: We do not write into files like it.
        OSError: The file cannot be read.
    """
    found = editable_format(path)
    if not found:
        raise Refused(f"{path} is no PNG, JPEG or WebP picture; nothing is written into it")
    return found


def check_edit(path: Path, edited: Path, before: str) -> None:
    """Refuses an edit that makes another kind of file of a picture, whose format is ``before``; ``edited`` is to take its place.

    Raises:
        Refused: It does.
        OSError: A file cannot be read.
    """
    if editable_format(edited) != before:
        raise Refused(f"the edit of {path} would change what kind of file it is; it is left as it is")


def _refused(record: Record, what: str) -> Refused:
    shown = record.made or record.target
    return Refused(f"the journal's step {record.id} with {shown} {what}; it is left untouched")
