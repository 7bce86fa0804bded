"""The command ``imagereward``: one file per command. The only room that reads environment variables and prints."""

from __future__ import annotations


def run_command() -> int:
    """Runs the command line of this process and returns the exit code; it can be stopped while it is still being loaded, too."""
    try:
        from .main import main

        return main()
    except KeyboardInterrupt:
        import sys

        from .exits import INTERRUPTED

        sys.stderr.write("imagereward: stopped\n")
        return INTERRUPTED
