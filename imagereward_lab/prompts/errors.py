"""Errors of the choice of prompts."""

from __future__ import annotations

from imagereward_core.cli.exits import UsageError


class SelectionError(UsageError):
    """The prompts, their vectors or the folder of the work are not what they should be."""
