"""The always-on script in txt2img and img2img."""

from __future__ import annotations

from typing import Any


def connect(door: Any) -> None:
    """Offers the script to the host, the file-name pattern, and the axes of the plot."""
    from . import driving, filenames, hooks, xyz

    door.offer(hooks.script_class())
    filenames.connect(door)
    xyz.connect(door)
    door.on_unload(driving.restore, "what is around the host's functions")
