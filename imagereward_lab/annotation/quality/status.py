"""Everybody's agreement as it is now, and the admission of who has done the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from ..project.options import ProjectOptions
from ..protocol.keys import QUICK
from ..records import Person, PersonStatus
from ..store.answers import Answered, final_answers
from ..store.people import CANDIDATE, REFUSED, REMOVED, everybody, set_state
from ..store.progress import progress_of
from ..store.turns import Terms
from .admission import LEAST_OTHERS, decision
from .agreement import NONE, Agreements, Order, agreements, ranks_of


def statuses(connection: Connection, terms: Terms) -> tuple[PersonStatus, ...]:
    """Everybody with progress and agreement, in the order in which they were added."""
    answers = final_answers(connection)
    everywhere = agreements(orders_of(answers))
    in_test = agreements(orders_of(each for each in answers if each.task.test))
    return tuple(
        PersonStatus(
            person=person,
            progress=progress_of(connection, person, terms),
            researchers=everywhere.get(person.id, NONE).researchers,
            ensemble=everywhere.get(person.id, NONE).ensemble,
            test_researchers=in_test.get(person.id, NONE).researchers,
            test_ensemble=in_test.get(person.id, NONE).ensemble,
        )
        for person in everybody(connection)
    )


def admit(connection: Connection, options: ProjectOptions, terms: Terms, now: float) -> list[Person]:
    """Admits or refuses everybody who has done the whole test and can be compared with somebody; returns those decided about.

    Who comes later changes nothing about who was decided about before.
    """
    waiting = [person for person in everybody(connection) if person.state == CANDIDATE]
    ready = [person for person in waiting if _has_done_the_test(connection, person, terms)]
    if not ready:
        return []
    found = _in_test(final_answers(connection))
    decided = []
    for person in ready:
        mine = found.get(person.id)
        state, why = decision(mine, options.threshold / 100, options.least_pairs)
        if state != CANDIDATE:
            set_state(connection, person, state, now, {"why": why})
            decided.append(person)
    return decided


def _has_done_the_test(connection: Connection, person: Person, terms: Terms) -> bool:
    progress = progress_of(connection, person, terms)
    return 0 < progress.test_total == progress.test_done


def _in_test(answers: Sequence[Answered]) -> dict[int, Agreements]:
    """Agreement in the test; who was refused or removed is no measure for others."""
    out = (REFUSED, REMOVED)
    some = [each for each in answers if each.task.test and each.person.state not in out]
    return agreements(orders_of(some), LEAST_OTHERS)


def orders_of(answers: Iterable[Answered]) -> list[Order]:
    """What answers say about which pictures are better."""
    return [
        Order(
            task=each.task.id,
            person=each.person.id,
            is_researcher=each.person.researches,
            ranks=ranks_of(each.task.mode, each.document, each.task.ids),
        )
        for each in answers
        if each.task.mode != QUICK
    ]
