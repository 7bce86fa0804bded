"""Scores in the infotexts that the host wrote, and the settings that are pasted back from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from imagereward_core.errors import ImageError
from imagereward_core.metadata.writing.infotext import is_infotext, put_into_settings

from .arguments import KEY, Settings, from_infotext, to_infotext
from .state import Job


def with_fields(text: str, fields: Mapping[str, str], job: Job) -> str:
    """An infotext with the fields in its last line; as it was, with a note, where it would be read differently then."""
    if not fields or not text:
        return text
    try:
        return put_into_settings(text, fields) if is_infotext(text) else text
    except ImageError as error:
        job.note(f"A score was not written into an infotext: {error}")
        return text


def without_settings(text: str) -> str:
    """An infotext without our settings, for pictures that go their way as without the extension."""
    try:
        return put_into_settings(text, {}, (KEY,)) if is_infotext(text) else text
    except ImageError:
        return text


def announce(p: Any, settings: Settings | None) -> None:
    """Puts the settings into the infotexts of a run; None takes out those that a copy of p brought along."""
    parameters = getattr(p, "extra_generation_params", None)
    if parameters is None:
        return
    if settings is None:
        parameters.pop(KEY, None)
    else:
        # A copy of p shares this dict with the others; a plot's cells would write into each other's.
        p.extra_generation_params = {**parameters, KEY: to_infotext(settings)}


def pasted(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """Fills a control from a pasted infotext: its setting, or None, which leaves the control alone, where there are none of ours."""

    def read(params: Mapping[str, Any]) -> Any:
        text = params.get(KEY)
        settings = from_infotext(str(text)) if text is not None else None
        return None if settings is None else getattr(settings, name)

    return read
