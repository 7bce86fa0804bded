"""The error of a training that cannot begin or go on."""

from __future__ import annotations

from imagereward_core.errors import CuratorError


class TrainingError(CuratorError):
    """A training cannot begin, or stops: the text says what was found, what was expected and what to do."""
