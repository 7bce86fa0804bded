"""A project served until Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ...server.access import new_token
from ...server.app import make_app
from ...server.start import LOCAL, Listening, serve
from ..service import Service
from .part import NAME, annotation_access, annotation_part


def serve_project(
    project: Path,
    *,
    images: Path | None = None,
    data: Path | None = None,
    host: str = LOCAL,
    port: int = 0,
    names: tuple[str, ...] = (),
    browser: bool = True,
    say: Callable[[str], None] = print,
    ready: Callable[[Listening], None] = lambda _: None,
    stop: threading.Event | None = None,
    first: str = "",
) -> None:
    """Serves the pages of a project. The address that is said has a token of its own, for who works alone on this computer.

    Args:
        project: Its folder.
        images: Folder of the pictures, where it is another one on this computer.
        data: The user's own folder for this program, which vouches for libraries.
        host: Address to listen at; only this computer reaches the default one.
        port: Port; 0 for a free one.
        names: Further names under which the server is reached.
        browser: Whether to open the page.
        say: Told the address in a sentence.
        ready: Called once it answers.
        stop: Ends the server as well, when set.
        first: The view that is shown first to who may see it, such as ``"quick"``; by default the first one they have.

    Raises:
        AnnotationError: There is no project.
        StoreError: Its store cannot be used.
        ServeError: The address cannot be listened at.
    """
    service = Service(project, images=images, data=data)
    own = new_token()
    try:
        serve(
            lambda listening: make_app(
                [annotation_part(service, first)], annotation_access(service, own), listening.hosts
            ),
            host=host,
            port=port,
            names=names,
            browser=browser,
            say=say,
            path=f"{NAME}#token={own}",
            ready=ready,
            stop=stop,
        )
    finally:
        service.close()
