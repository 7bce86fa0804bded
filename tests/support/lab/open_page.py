"""The page of ``imagereward open`` over a small scored folder, asked without a browser."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagereward_core.gallery.jobs import Jobs
from imagereward_core.library.library import Library
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.scorers.panel import Panel
from imagereward_lab.server.access import Access
from imagereward_lab.server.app import make_app
from imagereward_lab.server.browse.curating import Curator
from imagereward_lab.server.browse.desk import Desk
from imagereward_lab.server.browse.routes import make_part
from imagereward_lab.server.browse.watching import Scorer
from imagereward_lab.server.events import Events
from imagereward_lab.server.hosts import Hosts
from tests.support.lab.server import Client


def raising(what: str, error: Exception) -> str:
    """A fault of a job as the answer, with its kind."""
    return f"{what}: {type(error).__name__}: {error}"


class OpenPage(Client):
    """Asks the routes; ``told`` is what pages were told, as kind and facts."""

    def __init__(self, library: Library, folder: Path, remark: str = "", **options: Any) -> None:
        self.events = Events()
        self.told: list[tuple[str, Any]] = []
        self.events.tell = lambda kind, facts: self.told.append((kind, facts))  # type: ignore[method-assign]
        self.desk = Desk(library, folder, ScanOptions(), self.events, **options)
        self.scorer = Scorer(self.desk, lambda: None)
        self.curator = Curator(self.desk, Jobs(raising))
        part = make_part(self.desk, self.curator, self.scorer, remark)
        super().__init__(make_app([part], Access.open(), Hosts.of("127.0.0.1")))

    def do(self, name: str, status: int = 200, **told: Any) -> Any:
        answer = self.post(f"/open/{name}", json=told)
        assert answer.status_code == status, answer.text
        return answer.json()

    def deck(self, **told: Any) -> Any:
        return self.do("deck", **told)

    def names(self, **told: Any) -> list[str]:
        return [picture["file"] for picture in self.deck(**told)["pictures"]]

    def finish(self) -> str:
        """Waits for the work that goes on; what it came to."""
        job = self.curator.jobs.current()
        assert job is not None and job.wait(60)
        return job.problem or job.result


@contextmanager
def opened(folder: Path, panel: Panel | None = None, **options: Any):
    """The page over a folder; it is scored first where there is a panel."""
    with Library.open(folder / ".imagereward", root=folder) as library:
        if panel is not None:
            library.scan([folder], panel)
        page = OpenPage(library, folder, **options)
        page.desk.view()  # as by the time somebody sees the page
        yield page
