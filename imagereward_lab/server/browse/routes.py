"""The routes of the page: what it shows, what is said about pictures, and what is done with files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from imagereward_core.errors import CuratorError
from imagereward_core.gallery.details import describe
from imagereward_core.plain import encodable

from ..app import read_json
from ..part import Part
from ..scripts import SCRIPTS, script_texts
from ..shell import page
from ..texts import read_texts, wanted_language
from .difference import difference
from .wanted import RequestError, filter_of, flag, text, whole

if TYPE_CHECKING:
    from imagereward_core.gallery.view import View

    from .curating import Curator
    from .desk import Desk, Shown
    from .watching import Scorer

HERE = Path(__file__).parent
_MODULES = ("grid", "keys", "deck", "rows", "filmstrip", "pane", "pointer", "viewer", "culling")
NAME = "open"


def make_part(desk: Desk, curator: Curator, scorer: Scorer, remark: str = "") -> Part:
    """The part; ``remark`` stands above the pictures, such as that the library came from elsewhere."""
    router = APIRouter()
    texts = read_texts(HERE / "texts.json")
    does = _Actions(desk, curator, scorer)

    @router.get("")
    def show(request: Request) -> Response:
        return page(
            request.headers,
            title="title",
            scripts=[f"/static/{NAME}/imagereward_{name}.js" for name in _MODULES],
            modules=[f"/static/{NAME}/open.js"],
            styles=[f"/static/{NAME}/style.css", f"/static/{NAME}/open.css"],
            texts=[texts],
            data={
                "folder": str(desk.folder),
                "name": desk.folder.name or str(desk.folder),
                "readOnly": desk.read_only,
                "remark": remark,
                "scripts": script_texts(wanted_language(request.headers, request.cookies)),
            },
            body=(HERE / "body.html").read_text(encoding="utf-8"),
        )

    @router.get("/events")
    def events() -> Response:
        return desk.events.response({"serial": desk.serial, "scoring": scorer.state, **does.job()})

    def action(name: str, act: Callable[[Mapping[str, Any]], Any]) -> None:
        async def answer(request: Request) -> Any:
            told = await read_json(request)
            if not isinstance(told, dict):
                raise RequestError("expected a JSON object")
            return encodable(await run_in_threadpool(act, told))

        router.add_api_route(f"/{name}", answer, methods=["POST"], response_model=None)

    for name, act in does.all().items():
        action(name, act)

    def begin() -> None:
        threading.Thread(target=does.warm, daemon=True, name="imagereward-warm").start()
        scorer.begin()

    return Part(
        name=NAME,
        router=router,
        files=[HERE / "static", *SCRIPTS],
        texts=texts,
        pictures=desk,
        # The folder is read while the browser opens.
        begin=begin,
        end=scorer.end,
    )


class _Actions:
    """What the page asks for, each a function of a JSON object."""

    def __init__(self, desk: Desk, curator: Curator, scorer: Scorer) -> None:
        self.desk, self.curator, self.scorer = desk, curator, scorer

    def all(self) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
        """By the names of their routes."""
        return {
            "deck": self.deck,
            "about": self.about,
            "details": self.details,
            "difference": self.difference,
            "said": self.said,
            "preview": self.preview,
            "carry-out": self.carry_out,
            "undo": self.undo,
            "runs": lambda _: {"runs": self.curator.runs()},
            "stop": self.stop,
        }

    def warm(self) -> None:
        """Reads the folder before anybody asks."""
        try:
            self.desk.shown(filter_of({}))
            self.desk.events.tell(
                "changed", {"serial": self.desk.serial}
            )  # pages may have the first ones alone
        except CuratorError:
            pass  # said to who asks

    def _shown(self, told: Mapping[str, Any]) -> Shown:
        return self.desk.shown(filter_of(told.get("filter")), text("scorer", told.get("scorer", "")))

    def deck(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Some pictures in their order; around the one at ``chosen`` where that is wanted (``around``)."""
        wanted, scorer = filter_of(told.get("filter")), text("scorer", told.get("scorer", ""))
        chosen, count = (
            text("chosen", told.get("chosen", "")),
            whole("count", told.get("count", 200), 1, 1000),
        )
        start = whole("start", told.get("start", 0), 0, 2**53)
        file, around = text("file", told.get("file", "")), flag("around", told.get("around", False))
        return self.desk.deck(wanted, scorer, start, count, chosen, file, around=around)

    def about(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What stands beside the pictures: whose numbers there are, the range of scores, a drawing of them, folders, remarks."""
        from imagereward_core.report.histogram import histogram

        shown = self._shown(told)
        view, result = shown.view, shown.view.result
        known = [
            (row.value, place in shown.choice.kept)
            for place, row in enumerate(view.rows)
            if row.value is not None
        ]
        values, kept = [value for value, _ in known], [good for _, good in known]
        low, high = view.limits()
        return {
            "scorer": view.card.id,
            "scorers": self.desk.scorers(),
            "limits": [low, high],
            "histogram": histogram(values, kept) if values else "",
            "ends": [min(values), max(values)] if values else [0, 1],
            "folders": _folders(view.folder, {row.path.parent for row in view.rows}),
            "remarks": [remark for remark in (result.basis, *result.warnings) if remark],
        }

    def details(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Everything known about one picture."""
        shown = self._shown(told)
        place = self.desk.row(shown.view, text("id", told.get("id", "")))
        found = describe(shown.view, shown.choice, place)
        return {
            "path": str(found.path),
            "meaning": found.meaning,
            "rankInPrompt": found.rank_in_prompt,
            "scoredInPrompt": found.scored_in_prompt,
            "kept": found.kept,
            "reason": found.reason,
            "numbers": found.numbers,
            "texts": found.texts,
        }

    def difference(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What two pictures have otherwise."""
        shown = self._shown(told)
        one, other = (
            shown.view.rows[self.desk.row(shown.view, text(name, told.get(name, "")))]
            for name in ("one", "other")
        )
        return {"rows": difference(self.desk.folder, one, other)}

    def said(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Notes stars and decisions, each also where one before it failed; answers with the pictures as they are then."""
        wishes, problems = told.get("wishes"), dict[str, None]()
        if not isinstance(wishes, list) or len(wishes) > 200:
            raise RequestError("expected a list of at most 200 wishes")
        view = self.desk.view(text("scorer", told.get("scorer", "")))
        for wish in wishes:
            try:
                self._note(view, wish)
            except (CuratorError, OSError) as error:
                problems[str(error)] = None
        return {"problem": " ".join(problems), "deck": self.deck(told)}

    def _note(self, view: View, wish: Any) -> None:
        if not isinstance(wish, dict):
            raise RequestError("expected a JSON object")
        picture = text("id", wish.get("id"))
        if wish.get("do") == "rate":
            stars = wish.get("stars")
            self.desk.rate(view, picture, None if stars is None else whole("stars", stars, 0, 5))
        elif wish.get("do") == "decide":
            kept = wish.get("kept")
            self.desk.decide(view, picture, None if kept is None else flag("kept", kept))
        else:
            raise RequestError("the page asked for something this version does not know; load the page again")

    def preview(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What a curation would do."""
        wanted, scorer = filter_of(told.get("filter")), text("scorer", told.get("scorer", ""))
        return self.curator.preview(wanted, scorer, told)

    def carry_out(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Begins to do what was previewed."""
        self.curator.carry_out(whole("number", told.get("number"), 1, 2**53))
        return self.job()

    def undo(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Begins to take a run back."""
        run = told.get("run")
        self.curator.undo(None if run is None else whole("run", run, 1, 2**53))
        return self.job()

    def stop(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Stops what is at work."""
        if job := self.curator.jobs.current():
            job.stop()
        return self.job()

    def job(self) -> dict[str, Any]:
        """How far the work is that goes on or was last."""
        return {"job": self.curator.job()}


def _folders(root: Path, parents: set[Path]) -> list[str]:
    """Folders with pictures and those above them, as seen from ``root``, with slashes."""
    found = {
        above.as_posix()
        for path in parents
        if path.is_relative_to(root)
        for above in [path.relative_to(root), *path.relative_to(root).parents]
    }
    return sorted(found - {"."})
