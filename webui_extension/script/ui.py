"""The accordion in both tabs, made from the settings' own descriptions. Works in Gradio 3.41 and 4.40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import scorer_cache
from ..door import report
from ..widgets import widget
from . import infotext
from .arguments import DEFAULT, KEY, SETTINGS, Settings

ROWS = (
    ("scorer", "rejects"),
    ("keep_best", "keep_scope"),
    ("min_score", "min_percentile"),
    ("sort_gallery", "show_rejects"),
    ("companions",),
    ("until",),
    ("until_pictures", "until_minutes"),
    ("gate_hires", "show_percentile"),
)
MORE_ROWS = (("blend_with", "blend_method"), ("score_prompt",))
MORE = "Several scorers, another prompt"


def build(script: Any, tab: str) -> list[Any]:
    """The components in the order of the arguments; sets what the host pastes infotexts into. ``tab`` is a part of every id."""
    import gradio as gr
    from modules.ui_components import InputAccordion

    made: dict[str, Any] = {}
    with InputAccordion(False, label=SETTINGS["enabled"].label, elem_id=_id(tab, "enabled")) as made[
        "enabled"
    ]:
        _rows(gr, ROWS, tab, made)
        with gr.Accordion(MORE, open=False, elem_id=_id(tab, "more")):
            _rows(gr, MORE_ROWS, tab, made)
    script.infotext_fields = [(made[name], infotext.pasted(name)) for name in SETTINGS]
    script.paste_field_names = [KEY]
    return [made[name] for name in SETTINGS]


def _rows(gr: Any, rows: Sequence[Sequence[str]], tab: str, made: dict[str, Any]) -> None:
    """Makes the components of some rows and adds them to ``made``."""
    for row in rows:
        with gr.Row():
            for name in row:
                made[name] = _component(gr, name, _id(tab, name))


def _id(tab: str, name: str) -> str:
    return f"imagereward_{tab}_{name}"


def _component(gr: Any, name: str, elem_id: str) -> Any:
    known = SETTINGS[name]
    given = {"label": known.label, "elem_id": elem_id, **widget(Settings, name)}
    if known.help:
        given["info"] = known.sentence()
    if known.kind == "bool":
        return gr.Checkbox(**given)
    if known.kind == "ScorerName":
        return gr.Dropdown(choices=scorers(), **given)
    if known.choices:
        return gr.Dropdown(**given)
    return gr.Slider(**given) if known.kind in ("int", "float") else gr.Textbox(lines=1, **given)


def scorers() -> list[str]:
    """Names for the list of scorers: the default of the settings page first."""
    try:
        return [DEFAULT, *scorer_cache.choices()]
    except Exception as error:
        report("the list of scorers could not be made", error)
        return [DEFAULT]
