"""Long work of the tab, one at a time in the whole program: see :mod:`imagereward_core.gallery.jobs`."""

from __future__ import annotations

from imagereward_core.gallery.jobs import BusyError, Job, Jobs, Progress

from ..door import report

__all__ = ["BusyError", "Job", "Progress", "close", "current", "of_page", "start"]

_jobs = Jobs(report)
start, current, of_page, close = _jobs.start, _jobs.current, _jobs.of_page, _jobs.close
