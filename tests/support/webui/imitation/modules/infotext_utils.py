"""Quoting and reading infotexts, by the core's own parser of them."""

import json

from imagereward_core.metadata.formats.a1111 import parse_infotext


def quote(value):
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ",\n:") else value


def parse_generation_parameters(text, skip_fields=None):
    read = parse_infotext(text)
    return {"Prompt": read.prompt, "Negative prompt": read.negative, **read.settings}


class PasteField(tuple):
    """A component with the key, or the function, that fills it."""

    def __new__(cls, component, target, *, api=None):
        made = super().__new__(cls, (component, target))
        made.component, made.api = component, api
        made.label = target if isinstance(target, str) else None
        made.function = target if callable(target) else None
        return made
