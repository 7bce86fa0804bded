"""Arguments of Gradio's components made from settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagereward_core.settings import settings_of


def widget(owner: type, name: str, words: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Arguments of the component that shows the setting of a field: its value, and its choices or its range, with ``changes``.

    ``words`` are what a list shows, with what they stand for; by default the choices.
    """
    known = settings_of(owner)[name]
    made: dict[str, Any] = {"value": known.value}
    if words:
        made = {"choices": [*words], "value": next(word for word in words if words[word] == known.default)}
    elif known.choices:
        made["choices"] = [*known.choices]
    elif known.kind in ("int", "float"):
        made["minimum"], made["maximum"] = known.ends
        made["step"] = known.step
    return made | changes
