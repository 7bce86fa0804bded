"""Programs that store their prompt as a JSON object under a name of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .comfyui_graph import load_json
from .prompt import PictureText, Source


class _Form(NamedTuple):
    """Where a program keeps its prompts: the object's name inside the block, and the keys of both prompts."""

    source: Source
    inside: str
    prompt: str
    negative: str


_FORMS = (
    _Form("swarmui", "sui_image_params", "prompt", "negativeprompt"),
    _Form("invokeai", "", "positive_prompt", "negative_prompt"),
    _Form("novelai", "", "prompt", "uc"),
    _Form("fooocus", "", "prompt", "negative_prompt"),
)
_PLAIN = (str, int, float)


def parse_json_text(text: str) -> PictureText | None:
    """Read a prompt out of the JSON of SwarmUI, InvokeAI, NovelAI or Fooocus; None if it is of none.

    Numbers and texts beside the prompts become ``settings`` under the names the program gives them.
    """
    data = load_json(text)
    if not isinstance(data, Mapping):
        return None
    for form in _FORMS:
        found: Any = data.get(form.inside) if form.inside else data
        if not isinstance(found, Mapping) or form.prompt not in found:
            continue
        if form.source == "novelai" and form.negative not in found:
            continue
        prompt, negative = _words(found.get(form.prompt)), _words(found.get(form.negative))
        if prompt:
            settings = {
                str(key): str(value)
                for key, value in found.items()
                if isinstance(value, _PLAIN) and key not in (form.prompt, form.negative)
            }
            return PictureText(prompt, negative, form.source, settings)
    return None


def _words(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
