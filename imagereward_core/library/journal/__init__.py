"""Actions on picture files that can be undone: copy, link, move, edit and put, each in a journal before it happens.

Nothing here ever removes a file of the user's. A process may be killed at any instant: what it had half done is finished or taken
back when the journal is next opened.

::

    with Journal.open(place) as journal:
        run = journal.begin("keep the best", [Step("copy", picture, kept / picture.name)])
        result = execute(journal, run)
        undo(journal, run)
"""

from __future__ import annotations

from .run import execute
from .files import Refused
from .journal import Journal, JournalError
from .listing import elsewhere, leading_out, refused
from .move import move_new
from .names import safe_name
from .recovery import recover
from .steps import Recovery, RunInfo, RunResult, Step, StepInfo
from .undo import undo

__all__ = [
    "Journal",
    "JournalError",
    "Recovery",
    "Refused",
    "RunInfo",
    "RunResult",
    "Step",
    "StepInfo",
    "elsewhere",
    "execute",
    "leading_out",
    "move_new",
    "recover",
    "refused",
    "safe_name",
    "undo",
]
