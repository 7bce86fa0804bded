"""Short ways to act in tests."""

from __future__ import annotations

from imagereward_core.library.journal import Step, execute


def act(journal, *steps, title="a test"):
    """Begins a run and executes it."""
    return execute(journal, journal.begin(title, steps))


def well(result):
    """The result, after a look that nothing failed."""
    assert not result.failed, [reason for _, reason in result.failed]
    return result


def reasons(result):
    return [reason for _, reason in result.failed]


def to(kind, source, target, **more):
    return Step(kind, source, target, **more)


def states(journal, run):
    return [info.state for info in journal.steps(run) if not info.companion]
