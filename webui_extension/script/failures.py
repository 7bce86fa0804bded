"""Handles failures of ours: the job goes on as without the extension, and one line says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..door import report
from ..scorer_cache import problem
from . import infotext, saving
from .arguments import TITLE
from .state import Run


def safely(run: Run, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls ``function``, and returns None where it fails or has failed before; see :func:`fail`."""
    if run.job.failure:
        return None
    try:
        return function(*arguments)
    except Exception as error:
        return fail(run, what, error)


def fail(run: Run, what: str, error: BaseException) -> None:
    """Ends the script's part in this job, only; the saves still held are made as the host asked for them."""
    if not run.job.failure:
        report(what, error)
        infotext.announce(run.p, None)
        run.job.failure = (
            f"{TITLE}: {problem(error)} (The pictures are saved and shown as without the extension.)"
        )
    for picture in run.pending:
        picture.fields, picture.verdict = {}, ""  # nothing of it may differ from its file
    saving.release(run)
