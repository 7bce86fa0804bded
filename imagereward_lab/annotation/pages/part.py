"""Annotation as a part of the local server: its page, its routes, its pictures, and who may come in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...server.access import Access
from ...server.part import Part, Texts
from ...server.scripts import SCRIPTS, script_texts
from ...server.shell import page
from ...server.texts import read_texts, wanted_language
from ..protocol.modes import MODES
from ..service import Service
from .routes.answers import add_answers
from .routes.asked import TellingRoute
from .routes.oversight import add_oversight
from .routes.questions import add_questions

NAME = "annotation"
_HERE = Path(__file__).parent
_ASSETS = _HERE / "assets"
_VIEWER = ("deck", "keys", "grid", "pane", "pointer", "viewer", "culling")
"""Of the library page's scripts, those that make the large view, in the order in which they need one another."""


def texts() -> Texts:
    """All texts of the pages, in every language."""
    table: dict[str, Mapping[str, str]] = {}
    for path in sorted((_HERE / "texts").glob("*.json")):
        table |= read_texts(path)
    return table


class ProjectPictures:
    """The pictures of a project, by ids that say nothing of their names or of what made them."""

    lasting = False

    def __init__(self, service: Service) -> None:
        self._service = service

    def folders(self) -> Sequence[Path]:
        """Folders in which they lie."""
        return self._service.folders()

    def find(self, picture: str) -> Path | None:
        """The file of an id."""
        found = self._service.image_file(picture)
        return None if found is None else found.path


def annotation_part(service: Service, first: str = "") -> Part:
    """The part that serves one project; ``first`` is the view that its pages begin with."""
    router = APIRouter(route_class=TellingRoute)
    words = texts()

    @router.get("")
    def first_page(request: Request) -> Response:
        """The page; its script chooses the view."""
        shared = [f"/static/{NAME}/imagereward_{name}.js" for name in _VIEWER]
        return page(
            request.headers,
            title="title",
            scripts=[*shared, f"/static/{NAME}/sortable.min.js"],
            modules=[f"/static/{NAME}/main.js"],
            styles=[f"/static/{NAME}/style.css", f"/static/{NAME}/annotation.css"],
            texts=[words],
            data={
                "scripts": script_texts(wanted_language(request.headers, request.cookies)),
                "first": first,
            },
        )

    add_answers(router, service)
    add_questions(router, service)
    add_oversight(router, service)
    files = [_ASSETS, _ASSETS / "vendor", _HERE / "document", *SCRIPTS]
    return Part(
        name=NAME,
        router=router,
        files=files,
        texts=words,
        pictures=ProjectPictures(service),
        bare_pictures=MODES[service.facts.mode].sources_hidden,
    )


def annotation_access(service: Service, own: str) -> Access:
    """Who may come in: everybody with a token of the project, and whoever has the server's ``own``, who works alone here."""
    held = own.encode()

    def who(token: str) -> Any:
        if secrets.compare_digest(token.encode(), held):
            return service.local_person()
        return service.me(token)

    return Access(who, required=True)
