"""What a project has so far."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ..records import Results
from .answers import is_newest
from .inspections import invalid
from .progress import totals
from .tables import ANSWERS, ASSIGNMENTS, INSPECTIONS, QUESTIONS, TASKS
from .turns import DONE, SKIPPED


def results_of(connection: Connection) -> Results:
    """Counts of everything; ranks of quick mode are put in by who can compute them."""
    tasks, wanted = totals(connection)
    counted = (
        select(func.count())
        .select_from(
            ANSWERS.join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
            .join(TASKS, TASKS.c.id == ASSIGNMENTS.c.task_id)
            .outerjoin(INSPECTIONS, INSPECTIONS.c.answer_id == ANSWERS.c.id)
        )
        .where(ASSIGNMENTS.c.state == DONE, ~TASKS.c.test, is_newest())
    )
    return Results(
        tasks=tasks,
        wanted=wanted,
        answers=connection.execute(counted).scalar_one(),
        inspected=connection.execute(counted.where(INSPECTIONS.c.verdict == "valid")).scalar_one(),
        invalid=invalid(connection),
        skipped=connection.execute(select(func.count()).where(ASSIGNMENTS.c.state == SKIPPED)).scalar_one(),
        comparisons=connection.execute(
            select(func.count()).where(QUESTIONS.c.state == "answered")
        ).scalar_one(),
    )
