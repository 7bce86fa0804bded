"""Inputs made from settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..imagereward_core.scores import Within
from ..imagereward_core.selection import Rule
from ..imagereward_core.settings import settings_of
from .host.errors import choice
from .host.outputs import one
from .schema import ALL, EACH_PROMPT, entry

WITHIN: Mapping[str, Within] = {ALL: "all", EACH_PROMPT: "prompt"}
_KINDS = {"bool": io.Boolean, "int": io.Int, "float": io.Float}


def setting_input(
    owner: type,
    name: str,
    shown: str = "",
    words: Mapping[str, Any] | None = None,
    *,
    kind: Any = None,
    more: str = "",
    folded: bool = False,
    **changes: Any,
) -> Any:
    """The input of a setting, with the default, the range and the help that stand on its field.

    Args:
        owner: The dataclass.
        name: Of the field.
        shown: Id of the input; by default the name.
        words: What a drop-down list shows, with what it stands for; by default the choices.
        kind: Of the input, where it is not that of the field: a switch for a number that is always the same.
        more: What only the node has to say, behind the help.
        folded: Whether newer hosts fold it away.
        changes: Arguments of the input in the place of those from the field.
    """
    known = settings_of(owner)[name]
    listed = io.Combo if words or known.choices else io.String
    kind = kind or _KINDS.get(known.kind, listed)
    made: dict[str, Any] = {"default": known.value, "tooltip": known.sentence(more), "folded": folded}
    if kind is io.Boolean:
        made["default"] = bool(known.default)
    elif words or known.choices:
        words = words or dict(zip(known.choices, known.choices))
        made["options"] = list(words)
        made["default"] = next(word for word, value in words.items() if value == known.default)
    elif known.kind in ("int", "float"):
        number = int if known.kind == "int" else float
        made["default"], (made["min"], made["max"]) = number(known.value), map(number, known.ends)
        if known.kind == "float":
            made["step"] = float(known.step)
    return entry(kind, shown or name, **made | changes)


def within_input(what: str = "") -> Any:
    """Whether pictures compete with all others or only with those that have the same prompt; ``what`` they do, if not what a rule does."""
    hint = "Choose 'each prompt' when the pictures were made for different prompts."
    own: dict[str, Any] = {"tooltip": f"{what} {hint}"} if what else {}
    return setting_input(Rule, "within", words=WITHIN, more=hint, display_name="within", **own)


def meant(name: str, value: Any, words: Mapping[str, Any]) -> Any:
    """What a choice of a drop-down list stands for; a GraphError where it is none."""
    return words[choice(name, one(value), tuple(words))]
