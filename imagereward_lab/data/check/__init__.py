"""A report on a data set before hours of training."""

from __future__ import annotations

from .check import CheckReport, Counts, check_rankings

__all__ = ["CheckReport", "Counts", "check_rankings"]
