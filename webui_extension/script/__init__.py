"""The always-on script in txt2img and img2img."""

from __future__ import annotations

from typing import Any


def connect(door: Any) -> None:
    """Offers the script to the host, the file-name pattern, and the axes of the plot."""
    from . import filenames, hooks, lifecycle, page, requests, xyz

    door.offer(hooks.script_class())
    filenames.connect(door)
    xyz.connect(door)
    door.on("app_started", page.on_app_started, "gallery")
    door.on("app_started", requests.on_app_started, "requests")
    door.on_unload(requests.close, "what is around the API's function")
    door.on_unload(lifecycle.restore, "what is around the host's functions")
