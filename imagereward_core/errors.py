"""Errors a person can act on: each names what was found, what was expected and what to do next."""

from __future__ import annotations


class CuratorError(Exception):
    """Base of every error this project raises on purpose. Its text is meant for the person at the screen."""


class ImageError(CuratorError):
    """One picture cannot be scored: unreadable, truncated, too large, not a picture, or holding NaN."""


class PromptError(CuratorError):
    """A prompt is missing, is not text, or the number of prompts does not fit the number of pictures."""


class WeightsError(CuratorError):
    """A checkpoint is missing, damaged, of another layout, or refuses to be read safely."""


class DownloadError(WeightsError):
    """A checkpoint could not be fetched: no network, offline mode, a full disk, or a checksum that differs."""


class UnknownScorerError(CuratorError):
    """A scorer was asked for under a name nobody registered."""


class NumberError(CuratorError, ValueError):
    """A number is smaller than it may be, or not whole."""


class Cancelled(CuratorError):
    """The person, or the host on their behalf, asked for the work to stop."""
