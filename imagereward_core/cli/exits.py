"""Exit codes, for scripts, and the errors that lead to them."""

from __future__ import annotations

from ..errors import CuratorError

DONE = 0
SOME_FAILED = 1
USAGE = 2
NO_SCORER = 3
OTHER = 4
INTERRUPTED = 130
PIPE_CLOSED = 141

EXPLANATION = """\
exit codes:
    0  every picture has a score; nothing is wrong
    1  some pictures could not be scored (the others are printed); doctor: something is wrong
    2  the command line cannot be understood, or no picture was found
    3  the scorer cannot be used: weights missing or damaged, or a package it needs is missing
    4  anything else, for example a file that cannot be written
  130  stopped with Ctrl-C (what had been scored is printed)
  141  whoever reads the results has closed the pipe, as head does
"""


class UsageError(CuratorError):
    """The command line asks for something that cannot be: exit code 2."""


class NoScorerError(CuratorError):
    """The scorer cannot be made ready: exit code 3."""
