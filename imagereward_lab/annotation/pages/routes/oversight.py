"""What inspectors and researchers see: answers of others, people, how far a project is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from ...protocol.keys import ROLES, VERDICTS
from ...service import Service
from . import told
from .asked import Asking, Id, Sent, text_of

_LONGEST_NAME = 100


def add_oversight(router: APIRouter, service: Service) -> None:
    """Adds the routes."""

    @router.get("/api/me")
    def me(person: Asking) -> dict[str, Any]:
        """Who asks, of which project, and how far they are."""
        return {
            "person": told.person(person),
            "facts": told.facts(service.facts),
            "progress": told.progress(service.progress(person)),
        }

    @router.get("/api/inspections/next")
    def inspect_next(person: Asking) -> dict[str, Any]:
        """An answer to judge."""
        found = service.inspect_next(person)
        return {"inspection": None if found is None else told.inspection(found)}

    @router.post("/api/inspections/{answer}")
    def judge(person: Asking, answer: Id, sent: Sent) -> dict[str, Any]:
        """Judges an answer and gives the next one."""
        verdict = sent.get("verdict")
        if verdict not in VERDICTS:
            raise HTTPException(400, f"verdict: expected one of {', '.join(VERDICTS)}")
        service.judge(person, answer, verdict, text_of(sent, "note"))
        return inspect_next(person)

    @router.get("/api/people")
    def people(person: Asking) -> dict[str, Any]:
        """Everybody with progress and agreement."""
        return {"people": [told.status(each) for each in service.people(person)]}

    @router.post("/api/people")
    def invite(person: Asking, sent: Sent) -> dict[str, Any]:
        """Adds a person; the token is told this once."""
        role, name = sent.get("role"), text_of(sent, "name", _LONGEST_NAME)
        if role not in ROLES:
            raise HTTPException(400, f"role: expected one of {', '.join(ROLES)}")
        if not name:
            raise HTTPException(400, "name: expected a name")
        added, token = service.add_person(person, name, role)
        return {"person": told.person(added), "token": token}

    @router.post("/api/people/{other}/remove")
    def remove(person: Asking, other: Id) -> dict[str, Any]:
        """Takes a person's token away; what they answered stays."""
        service.remove_person(person, other)
        return {}

    @router.get("/api/results")
    def results(person: Asking) -> dict[str, Any]:
        """What there is so far."""
        return {"results": told.results(service.results(person))}
