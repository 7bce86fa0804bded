"""Tasks: the next one, drafts, submission, skipping."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...protocol.keys import PROTOCOL, STAGES
from ...records import Next, Person
from ...service import Service
from . import told
from .asked import Asking, Id, Sent, seconds_of, text_of


def add_answers(router: APIRouter, service: Service) -> None:
    """Adds the routes."""

    def following(person: Person, given: Next | None = None) -> dict[str, Any]:
        given = service.next(person) if given is None else given
        return told.following(given, service.progress(person))

    def faults(person: Person, task: int, document: Any) -> list[dict[str, Any]]:
        """What is wrong, by the stage in which it can be mended where the mode has stages."""
        stages = STAGES if service.facts.mode == PROTOCOL else ("",)
        return [
            each
            for stage in stages
            for each in told.faults(service.check(person, task, document, stage), stage)
        ]

    @router.get("/api/next")
    def next_task(person: Asking) -> dict[str, Any]:
        """The task this person is at, else a new one."""
        return following(person)

    @router.put("/api/tasks/{task}/draft")
    def save_draft(person: Asking, task: Id, sent: Sent) -> dict[str, Any]:
        """Keeps what is done so far, and says what is wrong with it, and whether somebody else has the task meanwhile."""
        document = sent.get("document")
        ends = service.save_draft(person, task, document if isinstance(document, dict) else {})
        return {"faults": faults(person, task, document), "taken": not ends}

    @router.post("/api/tasks/{task}/submit")
    def submit(person: Asking, task: Id, sent: Sent) -> dict[str, Any]:
        """Takes an answer and gives what comes next, or says what is wrong."""
        document = sent.get("document")
        wrong = service.submit(person, task, document, seconds_of(sent))
        if wrong:
            return {"faults": faults(person, task, document) or told.faults(wrong)}
        return {"faults": [], **following(person)}

    @router.post("/api/tasks/{task}/skip")
    def skip(person: Asking, task: Id, sent: Sent) -> dict[str, Any]:
        """Gives the task to somebody else."""
        service.skip(person, task, text_of(sent, "reason"))
        return following(person)

    @router.get("/api/answered")
    def answered(person: Asking) -> dict[str, Any]:
        """This person's own last answers, the newest first."""
        return {"answered": [told.own_answer(each) for each in service.answered(person)]}

    @router.post("/api/tasks/{task}/again")
    def again(person: Asking, task: Id) -> dict[str, Any]:
        """A task that this person has answered, to change the answer."""
        return following(person, service.again(person, task))

    @router.post("/api/tasks/{task}/as_it_is")
    def leave(person: Asking, task: Id) -> dict[str, Any]:
        """Gives a change of an own answer up, and says what to do next."""
        service.forget_change(person, task)
        return following(person)
