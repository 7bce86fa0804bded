"""The page "ImageReward Curator" in the host's settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imagereward_core.scorers.requests import DEFAULT_SCORER, LoadRequest
from imagereward_core.settings import settings_of

from . import scorer_cache
from .api.limits import Limits
from .host import info as hosts
from .runtime.idle import DEFAULT_MINUTES
from .widgets import widget

log = logging.getLogger(__name__)

PAGE_SIZE = 60
"""Pictures on one page of the tab's gallery."""
SECTION = ("imagereward", "ImageReward Curator")


@dataclass(frozen=True)
class Setting:
    """One line of the page.

    Attributes:
        key: The option's name without ``imagereward_``.
        component: Name of a Gradio component; empty for the one that suits the default.
        arguments: Its arguments, or a call that gives them each time the page is drawn.
        changes_scorers: Whether scorers in memory are out of date once it changes.
        private: Whether the host's API may neither read nor change it.
        whole: Whether a fraction means nothing.
    """

    key: str
    default: Any
    label: str
    info: str
    component: str = ""
    arguments: dict[str, Any] | Callable[[], dict[str, Any]] = field(default_factory=dict)
    changes_scorers: bool = False
    private: bool = False
    whole: bool = False


def _scorers() -> dict[str, Any]:
    return {"choices": scorer_cache.choices()}


def _devices() -> dict[str, Any]:
    from .runtime.common import devices

    return {"choices": devices()}


def _look_again() -> None:
    """The button beside a list; what is in the list is asked for anew when it is drawn."""


def _line(
    owner: type, name: str, label: str = "", *, key: str = "", maximum: float | None = None, **more: Any
) -> Setting:
    """A line whose default, range and help are those of a setting."""
    known = settings_of(owner)[name]
    arguments = widget(owner, name)
    default = arguments.pop("value")
    if maximum is not None:
        arguments["maximum"] = maximum
    told = known.sentence().rstrip(".")
    given: dict[str, Any] = {
        "info": told[0].lower() + told[1:],
        "arguments": arguments,
        "component": "Radio" if known.choices else "Slider" if known.kind in ("int", "float") else "",
        "whole": known.kind == "int",
    } | more
    return Setting(key or name, default, label or known.label, **given)


SETTINGS = (
    Setting(
        "scorer",
        DEFAULT_SCORER,
        "Default scorer",
        "what the accordion, the tab and the API use when nothing else is chosen; weights are downloaded once, at first use",
        "Dropdown",
        _scorers,
    ),
    _line(
        LoadRequest,
        "device",
        "Device",
        component="Dropdown",
        changes_scorers=True,
        info="auto: where pictures are generated; cpu leaves the graphics card alone and is slower",
        arguments=_devices,
    ),
    _line(LoadRequest, "precision", "Precision", changes_scorers=True),
    Setting(
        "move_out",
        "auto",
        "Move scorers out of the graphics card after use",
        "auto: Automatic1111 moves them out; Forge and reForge keep them until the room is needed",
        "Radio",
        {"choices": ["auto", "always", "never"]},
    ),
    Setting(
        "idle_minutes",
        DEFAULT_MINUTES,
        "Free scorers from memory after so many idle minutes",
        "0 keeps them until the WebUI ends",
        "Slider",
        {"minimum": 0, "maximum": 240, "step": 1},
    ),
    _line(LoadRequest, "batch_size", "Pictures scored at once", maximum=64, changes_scorers=True),
    _line(LoadRequest, "whole_picture", "Show scorers the whole picture", changes_scorers=True),
    _line(LoadRequest, "allow_download", "Download missing weights"),
    Setting(
        "models_folder",
        "",
        "Models folder",
        "a folder with weights of your own, looked into before models/imagereward; empty for none",
        private=True,
    ),
    Setting(
        "rejects_folder",
        hosts.REJECTS,
        "Name of the folder for rejected pictures",
        "made inside the folder the picture would have gone to; nothing in it is ever deleted",
    ),
    Setting(
        "extra_folders",
        "",
        "Further folders whose pictures may be scored by the tab and the API",
        "one full path a line; the WebUI's own output folders always may",
        "Textbox",
        {"lines": 3},
        private=True,
    ),
    Setting(
        "tab_page",
        PAGE_SIZE,
        "Pictures on one page of the tab's gallery",
        "more make the page slower",
        "Slider",
        {"minimum": 10, "maximum": 500, "step": 10},
    ),
    *(_line(Limits, name, key=f"api_{name}", private=True) for name in settings_of(Limits)),
)


def _changed(setting: Setting) -> Callable[[], None] | None:
    """The function the host calls once the setting has another value; a number that does not fit is taken back, with a line in the log.

    The page's slider has ends, the host's API takes anything.
    """
    if setting.component != "Slider" and not setting.changes_scorers:
        return None
    key = f"imagereward_{setting.key}"
    good = [setting.default]

    def changed() -> None:
        from modules import shared

        value = hosts.option(key, setting.default)
        problem = objection(setting, value) if setting.component == "Slider" else ""
        if problem:
            setattr(shared.opts, key, good[0])
            log.error("ImageReward Curator: %s; it stays %s", problem, good[0])
            return
        good[0] = value
        if setting.changes_scorers:
            scorer_cache.expire()

    if not objection(setting, hosts.option(key, setting.default)):
        good[0] = hosts.option(key, setting.default)
    return changed


def objection(setting: Setting, value: Any) -> str:
    """Why the slider on the page could not be set to a number; empty where it could."""
    if not isinstance(setting.arguments, dict) or "maximum" not in setting.arguments:
        return ""
    low, high = setting.arguments["minimum"], setting.arguments["maximum"]
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if fits and (not setting.whole or value == int(value)):
        return ""
    kind = "whole number" if setting.whole else "number"
    return f"{setting.label!r} is {str(value)[:40]}; expected a {kind} from {low} to {high}"


def on_ui_settings() -> None:
    """Adds the page; the host draws it, stores the values and offers them in its API."""
    import gradio as gr
    from modules import shared

    for setting in SETTINGS:
        named: dict[str, Any] = {"section": SECTION}
        changed = _changed(setting)
        if changed is not None:
            named["onchange"] = changed
        if callable(setting.arguments):
            named["refresh"] = _look_again
        if setting.private:
            named["restrict_api"] = True
        option = shared.OptionInfo(
            setting.default,
            setting.label,
            getattr(gr, setting.component) if setting.component else None,
            setting.arguments or None,
            **named,
        ).info(setting.info)
        shared.opts.add_option(f"imagereward_{setting.key}", option)


def on_before_ui() -> None:
    """Without a page (``--nowebui``) the host never asks for settings; its API can change them all the same."""
    from modules import shared

    if getattr(shared.cmd_opts, "nowebui", False):
        on_ui_settings()
