"""Joins the parts of the extension to the host each time it loads its scripts, and takes them away again before the next time."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from .host import info

log = logging.getLogger(__name__)

PARTS = ("settings_page", "scorer_cache", "script", "xyz", "extras", "tab", "api")
"""Modules of this package, or packages in it; one that is not there is passed over. What they have of these joins the host:

``on_EVENT(...)`` is the host's callback of that name (see :meth:`Door.on`), ``make_script()`` gives a class for the script file, or
None, ``close()`` takes back what the part did to the host, and ``connect(door)`` does anything else.
"""


class Door:
    """The means by which a part joins the host."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.classes: list[type] = []
        self._undone: list[tuple[str, Callable[[], None]]] = []

    def offer(self, script_class: type) -> None:
        """Hands the host a subclass of its ``Script`` or ``ScriptPostprocessing``, as if it stood in the script file."""
        self.classes.append(script_class)

    def on(self, event: str, callback: Callable[..., Any], name: str = "") -> None:
        """Registers one of the host's callbacks, such as ``ui_tabs``; ``name`` tells it from others of ours in the host's list.

        A callback that fails costs the user that part and one line in the log. Where the host lacks the event, nothing is registered.
        """
        from modules import script_callbacks

        register = getattr(script_callbacks, f"on_{event}", None)
        if register is None:
            log.debug("this WebUI has no callback on_%s", event)
            return
        guarded = guard(callback, f"{event} {name}".strip(), [] if event == "ui_tabs" else None)
        try:
            register(guarded, name=name or None)
        except TypeError:  # hosts before 1.9 know no names
            register(guarded)

    def on_unload(self, undo: Callable[[], None], name: str = "") -> None:
        """Remembers what must be taken back before the scripts are loaded anew; called in reverse order."""
        self._undone.append((name or getattr(undo, "__qualname__", "undo"), undo))

    def unload(self) -> None:
        """Takes everything back."""
        while self._undone:
            name, undo = self._undone.pop()
            guard(undo, f"taking back {name}")()


def connect(root: Path) -> list[type]:
    """Joins every part to the host; returns the classes that it is to find in the script file."""
    if info.is_sdnext():
        log.warning(
            "ImageReward Curator: SD.Next is not supported and nothing was added to it; the command `imagereward` scores its pictures"
        )
        return []
    if importlib.util.find_spec("ftfy") is None:
        log.warning(
            "ImageReward Curator: the package ftfy is missing (with --skip-install nothing is installed). CLIP and HPSv2 cannot read "
            "prompts without it, the rest works; install it into this Python with: pip install ftfy"
        )
    door = Door(root)
    door.on("script_unloaded", door.unload)
    for event in ("before_ui", "app_started"):
        door.on(event, lambda *_: leave_path(root), "path")
    for part in PARTS:
        _connect_part(door, part)
    return door.classes


def _connect_part(door: Door, part: str) -> None:
    name = f"{__package__}.{part}"
    try:
        if importlib.util.find_spec(name) is None:
            return
        module = importlib.import_module(name)
        if hasattr(module, "close"):
            door.on_unload(module.close, part)
        if hasattr(module, "connect"):
            module.connect(door)
        if hasattr(module, "make_script"):
            offered = module.make_script()
            if offered is not None:
                door.offer(offered)
        for event in [each for each in dir(module) if each.startswith("on_")]:
            door.on(event.removeprefix("on_"), getattr(module, event), part)
    except Exception as error:
        report(f"the part {part!r} could not be started and is left out", error)


def guard(function: Callable[..., Any], what: str, default: Any = None) -> Callable[..., Any]:
    """``function``, except that an error becomes one clear line in the log and the answer ``default``."""

    @wraps(function)
    def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Exception as error:
            report(f"{what} failed", error)
            return default

    return guarded


def report(what: str, error: BaseException) -> str:
    """Writes one line about a failure of ours to the log, where it stands in the code to the debug log; returns the line."""
    from imagereward_core.plain import plain

    line = plain(f"ImageReward Curator: {what}: {type(error).__name__}: {error}")
    log.error(line)
    log.debug("where it happened", exc_info=error)
    return line


def leave_path(root: Path) -> None:
    """Takes the extension's folder off ``sys.path``, where some hosts leave it: its ``nodes`` and ``tests`` are nobody else's business.

    Our own packages are registered by name and do not need it.
    """
    # Not resolved: the host wrote the path as it names the folder.
    while str(root) in sys.path:
        sys.path.remove(str(root))
