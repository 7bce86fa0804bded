"""Writes what is shown to a file: CSV, JSON, or a page."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.errors import CuratorError
from imagereward_core.plain import count_of

from ..host.info import data_folder
from .jobs import Job

if TYPE_CHECKING:
    from imagereward_core.gallery.filter import Choice, Filter
    from imagereward_core.gallery.view import View

FORMS = {"CSV": "csv", "JSON": "json", "HTML page": "html"}
_UNSAFE = re.compile(r"[^\w.-]+")


def export_view(job: Job, view: View, choice: Choice, wanted: Filter, form: str) -> tuple[Path, str]:
    """Writes a file; returns it with what was written, in a sentence.

    CSV and JSON hold the pictures that are shown, in their order; the page holds all and has filters of its own.

    Raises:
        CuratorError: The form is not offered, or the file cannot be written.
    """
    if form not in FORMS:
        raise CuratorError(f"there is no form {form!r}; expected one of {', '.join(FORMS)}")
    ending = FORMS[form]
    name = _UNSAFE.sub("_", view.folder.name).strip("._") or "pictures"
    path = _free(data_folder() / "exports", f"{name} {time.strftime('%Y-%m-%d %H-%M-%S')}", ending)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = (
            _write_page(job, view, choice, path)
            if ending == "html"
            else _write_rows(job, view, choice, wanted, path)
        )
    except OSError as error:
        raise CuratorError(
            f"{path} cannot be written ({error.strerror or error}); free some room, or look at the folder's rights"
        ) from error
    return path, f"Wrote {count_of(number, 'picture')} to {path}"


def _write_rows(job: Job, view: View, choice: Choice, wanted: Filter, path: Path) -> int:
    from imagereward_core.library.export import export

    return export(
        path,
        view.rows,
        view.result,
        choice.selection,
        view.card,
        order=choice.shown,
        rule=asdict(wanted),
        history=view.history,
        bom=True,
        progress=lambda done: job.tell(done, len(choice.shown)),
    )


def _write_page(job: Job, view: View, choice: Choice, path: Path) -> int:
    from imagereward_core.library.report_entries import write_library_report

    write_library_report(
        path,
        view.rows,
        view.result,
        choice.selection,
        view.card,
        root=view.folder,
        history=view.history,
        progress=job.tell,
    )
    return len(view.rows)


def _free(folder: Path, name: str, ending: str) -> Path:
    path, number = folder / f"{name}.{ending}", 1
    while path.exists():
        number += 1
        path = folder / f"{name} ({number}).{ending}"
    return path
