"""The tab "ImageReward": scores a folder, shows it in rank order, filters it, and copies, moves or links what was kept."""

from __future__ import annotations

from typing import Any

TITLE = "ImageReward"
ELEMENT = "imagereward"


def on_ui_tabs() -> list[tuple[Any, str, str]]:
    """The tab as the host wants it."""
    from .page import build

    return [(build(), TITLE, ELEMENT)]


def on_app_started(demo: Any, app: Any) -> None:
    """Adds the routes for the tab's pictures; ``demo`` is None where the host has no pages."""
    if demo is None:
        return
    from .serving import add_routes

    add_routes(app)


def close() -> None:
    """Stops what is at work and removes small pictures, before the extension is loaded anew."""
    from .jobs import close as stop
    from .shown import small_copies

    stop()
    small_copies.close()
