"""Actions on picture files that can be undone: copy, link, move, edit and put, each in a journal before it happens.

Nothing here ever removes a file of the user's. A process may be killed at any instant: what it had half done is finished or taken
back when the journal is next opened.

::

    with open_journal(place) as journal:
        run = journal.begin("keep the best", [Step("copy", picture, kept / picture.name)])
        result = execute(journal, run)
        undo(journal, run)
"""

from __future__ import annotations

from .changes import move_new
from .files import Refused
from .journal import Journal
from .listing import elsewhere, leading_out, refused
from .names import safe_name
from .reader import JournalError
from .recovery import open_journal, recover
from .run import execute, undo
from .steps import Recovery, RunInfo, RunResult, Step, StepInfo

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
    "open_journal",
    "recover",
    "refused",
    "safe_name",
    "undo",
]
