"""Quick mode: questions, answers to them, stars and ranks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from ...records import Person
from ...service import Service
from . import told
from .asked import Asking, Id, Sent, seconds_of

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def add_questions(router: APIRouter, service: Service) -> None:
    """Adds the routes."""

    def waiting(person: Person) -> dict[str, Any]:
        """The question this person is at and the one after it, which the page shows at once when the first is answered."""
        found = service.questions(person)
        so_far = told.progress(service.progress(person))
        so_far["left"] = max(0, found[0].expected - found[0].done) if found else 0
        return {"questions": [told.question(each) for each in found], "progress": so_far}

    @router.get("/api/questions")
    def questions(person: Asking) -> dict[str, Any]:
        """What is asked now."""
        return waiting(person)

    @router.post("/api/questions/undo")
    def undo(person: Asking) -> dict[str, Any]:
        """Takes the last answer back; its question is the first of those that wait."""
        undone = service.undo_answer(person)
        return {**waiting(person), "undone": None if undone is None else undone.id}

    @router.post("/api/questions/{question}/answer")
    def answer(person: Asking, question: Id, sent: Sent) -> dict[str, Any]:
        """Takes an answer and says what is asked next."""
        winner = sent.get("winner")
        if "winner" not in sent or not (winner is None or isinstance(winner, str)):
            raise HTTPException(400, "winner: expected the id of a picture, or null for a tie")
        service.answer(person, question, winner, seconds_of(sent))
        return waiting(person)

    @router.post("/api/questions/{question}/pass")
    def pass_question(person: Asking, question: Id) -> dict[str, Any]:
        """Skips a question."""
        service.pass_question(person, question)
        return waiting(person)

    @router.post("/api/pictures/{image}/stars")
    def stars(person: Asking, image: str, sent: Sent) -> dict[str, Any]:
        """Sets the library's stars."""
        given = sent.get("stars")
        fits = given is None or (isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= 5)
        if "stars" not in sent or not fits:
            raise HTTPException(400, "stars: expected 0 to 5, or null for none")
        service.set_stars(person, image, given)
        return {}

    @router.get("/api/ranks.{form}")
    def ranks(person: Asking, form: str) -> Response:
        """The ranks as a file."""
        if form not in _TYPES:
            raise HTTPException(404, "ranks are there as csv and json")
        name = {"Content-Disposition": f'attachment; filename="ranks.{form}"'}
        return Response(service.ranks_text(person, form), media_type=_TYPES[form], headers=name)
