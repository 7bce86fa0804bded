"""Our routes beside the host's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..door import Door


def connect(door: Door) -> None:
    """Joins the host."""
    door.on("app_started", on_app_started, "api")


def on_app_started(demo: Any, app: FastAPI) -> None:
    """Adds the routes where the host was started with its API (``--api`` or ``--nowebui``); ``demo`` is None without pages."""
    from modules.shared import cmd_opts

    if not (demo is None or getattr(cmd_opts, "api", False) or getattr(cmd_opts, "nowebui", False)):
        return
    from .guard import accounts
    from .routes import make_router

    app.include_router(make_router(accounts()))
