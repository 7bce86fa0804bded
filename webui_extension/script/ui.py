"""The accordion in both tabs, made from the settings' own descriptions. Works in Gradio 3.41 and 4.40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import scorer_cache
from ..door import report
from . import infotext
from .arguments import DEFAULT, KEY, Control, Settings, controls

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
    """The components in the order of the arguments; sets what the host pastes infotexts into.

    Args:
        script: Gets ``infotext_fields`` and ``paste_field_names``.
        tab: txt2img or img2img, a part of every id.
    """
    import gradio as gr
    from modules.ui_components import InputAccordion

    known = controls()
    made: dict[str, Any] = {}
    with InputAccordion(False, label=known["enabled"].label, elem_id=_id(tab, "enabled")) as made["enabled"]:
        _rows(gr, ROWS, tab, made)
        with gr.Accordion(MORE, open=False, elem_id=_id(tab, "more")):
            _rows(gr, MORE_ROWS, tab, made)
    script.infotext_fields = infotext.paste_fields(made)
    script.paste_field_names = [KEY]
    return [made[name] for name in known]


def _rows(gr: Any, rows: Sequence[Sequence[str]], tab: str, made: dict[str, Any]) -> None:
    """Makes the components of some rows and adds them to ``made``."""
    for row in rows:
        with gr.Row():
            for name in row:
                made[name] = _component(gr, controls()[name], getattr(Settings(), name), _id(tab, name))


def _id(tab: str, name: str) -> str:
    return f"imagereward_{tab}_{name}"


def _component(gr: Any, control: Control, default: Any, elem_id: str) -> Any:
    common = {"label": control.label, "value": default, "elem_id": elem_id}
    if control.info:
        common["info"] = control.info
    if control.kind == "toggle":
        return gr.Checkbox(**common)
    if control.kind == "choice":
        return gr.Dropdown(choices=list(control.choices), **common)
    if control.kind == "scorer":
        return gr.Dropdown(choices=scorers(), **common)
    if control.kind in ("text", "score"):
        return gr.Textbox(lines=1, **common)
    return gr.Slider(minimum=control.low, maximum=control.high, step=control.step, **common)


def scorers() -> list[str]:
    """Names for the list of scorers: the default of the settings page first."""
    try:
        return [DEFAULT, *scorer_cache.choices()]
    except Exception as error:
        report("the list of scorers could not be made", error)
        return [DEFAULT]
