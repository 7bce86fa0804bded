"""The tab's widgets and their events. Works with Gradio 3.41 and 4.40: no ``.style``, no ``Box``, ``gr.update`` alone.

Annotations are not postponed in this file: Gradio reads those of handlers.
"""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from inspect import signature
from typing import Any

import gradio as gr

from imagereward_core.library.curate.buckets import REJECTED
from imagereward_core.library.curate.options import KEPT, CurateOptions, CurationRule
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.selection import Rule
from imagereward_core.settings import settings_of

from ..widgets import widget
from . import culling, handlers
from .forms import HOW, PER, PROMPTS, SHOW, SORT, WHICH, folders_offered
from .html import STARTED, message
from .session import Session
from .updates import Change

ID = "imagereward"
SENT = ("txt2img", "img2img", "inpaint", "extras")


class Held:
    """The state of one open page, changed by one handler at a time: Gradio runs them side by side, and the last one's word would stand."""

    def __init__(self) -> None:
        self.session = Session()
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: Any) -> "Held":
        return Held()  # Gradio makes one for each page from the one it was given


class Page:
    """The tab while it is made: all widgets by name, which with ``imagereward_tab_`` in front is the id in the page."""

    def __init__(self) -> None:
        self.widgets: dict[str, Any] = {}
        self.session: Any = None

    def add(self, name: str, kind: type, *arguments: Any, remembered: bool = False, **named: Any) -> Any:
        """Makes a widget.

        The host keeps a ``remembered`` default among the user's own (``ui-config.json``); not for what depends on a folder or a machine.
        """
        widget = kind(*arguments, elem_id=f"{ID}_tab_{name}", **named)
        if not remembered:
            widget.do_not_save_to_config = True
        self.widgets[name] = widget
        return widget

    def join(
        self,
        event: Callable[..., Any],
        handler: Callable[..., handlers.Result],
        inputs: tuple[str, ...] = (),
        fixed: tuple[Any, ...] = (),
        outputs: tuple[str, ...] = (),
        only_looks: bool = False,
        latest_counts: bool = False,
    ) -> None:
        """Calls ``handler`` with the session, ``fixed`` and the values of ``inputs``; the widgets ``outputs``, or any, may change by it.

        One that ``only_looks`` leaves the session as it is, and so neither waits for other handlers nor makes them wait. Where the
        ``latest_counts``, a press that comes while the one before is still worked on is done after it.
        """
        widgets, session = self.widgets, self.session
        targets = [widgets[name] for name in outputs] if outputs else list(widgets.values())
        allowed = set(outputs or widgets)

        def run(held: Held, *values: Any) -> dict[Any, Any]:
            with nullcontext() if only_looks else held.lock:
                after, changed = handler(held.session, *fixed, *values)
                if not only_looks:
                    held.session = after
            return {session: held} | {
                widgets[name]: shown(value) for name, value in changed.items() if name in allowed
            }

        event(
            fn=run,
            inputs=[session, *(widgets[name] for name in inputs)],
            outputs=[session, *targets],
            queue=False,
            show_progress="hidden",
            **(_latest_counts(event) if latest_counts else {}),
        )


def _latest_counts(event: Callable[..., Any]) -> dict[str, str]:
    """What makes Gradio 4 do a press again that came while it was at the one before; it throws such presses away. Gradio 3 does each."""
    return {"trigger_mode": "always_last"} if "trigger_mode" in signature(event).parameters else {}


def _tell_script(event: Callable[..., Any], what: str) -> None:
    """Calls a function of the page's script, and nothing in the program."""
    code = f"() => {{ window.imagerewardCurator.{what}(); return []; }}"
    event(fn=None, inputs=[], outputs=[], **{"js" if "js" in signature(event).parameters else "_js": code})


def shown(value: Any) -> Any:
    """A value as Gradio wants it."""
    if not isinstance(value, Change):
        return gr.update(value=value)
    return gr.update(**value.properties)


def build() -> Any:
    """The tab as a Gradio page of its own."""
    page = Page()
    with gr.Blocks(analytics_enabled=False) as blocks:
        page.session = gr.State(Held())
        _folder_row(page)
        page.add("progress", gr.HTML, "")
        page.add("message", gr.HTML, message(STARTED))
        with page.add("results", gr.Row, visible=False):
            with gr.Column(scale=1, min_width=320):
                _filter_column(page)
                _acting(page)
                _exporting(page)
            with gr.Column(scale=2, min_width=400):
                _gallery_column(page)
            with gr.Column(scale=1, min_width=320, elem_id=f"{ID}_tab_chosen"):
                _chosen_column(page)
        for name, label in (
            ("poll", "Look how far the work is"),
            ("refresh", "Apply the filter"),
            ("do", "Do what the script wishes"),
        ):
            page.add(name, gr.Button, label, visible=False)
        page.add("wish", gr.Textbox, label="Wish of the script", elem_classes=["imagereward-hidden"])
        page.add("answer", gr.HTML, "", elem_classes=["imagereward-hidden"])
        _join(page)
        page.join(blocks.load, handlers.opened, only_looks=True)
    return blocks


def _folder_row(page: Page) -> None:
    from ..host.info import option
    from ..scorer_cache import choices

    folders, scorers = folders_offered(), choices()
    with gr.Row(elem_classes=["imagereward-row"]):
        page.add(
            "folder",
            gr.Dropdown,
            folders,
            value=folders[0] if folders else None,
            label="Folder with pictures",
            allow_custom_value=True,
            scale=4,
        )
        page.add(
            "scorer",
            gr.Dropdown,
            scorers,
            value=option("imagereward_scorer", scorers[0]),
            label="Scorer",
            scale=2,
        )
        page.add("score", gr.Button, "Score", variant="primary", scale=1)
        page.add("stop", gr.Button, "Stop", visible=False, scale=1)
        page.add("undo", gr.Button, "Undo the last run", scale=1)
    with gr.Accordion("Prompts, other scorers and memory", open=False, elem_id=f"{ID}_tab_options"):
        with gr.Row():
            source = widget(ScanOptions, "prompt_from", PROMPTS)
            page.add("prompt_from", gr.Dropdown, **source, label="Prompts are read from", remembered=True)
            page.add("typed", gr.Textbox, label="Prompt for all pictures", lines=1)
            page.add("also", gr.Dropdown, scorers, value=[], multiselect=True, label="Scorers shown beside")
        with gr.Row():
            inner = widget(ScanOptions, "recursive")
            page.add("recursive", gr.Checkbox, **inner, label="Folders in the folder too", remembered=True)
            raw = widget(ScanOptions, "raw_prompt")
            page.add("raw", gr.Checkbox, **raw, label="Prompts with LoRA tags and weights left in")
            alone = widget(ScanOptions, "unscored_only")
            page.add("unscored", gr.Checkbox, **alone, label="Leave alone what has stars or a score")
            page.add("free", gr.Button, "Free the scorer from memory")


def _filter_column(page: Page) -> None:
    page.add("histogram", gr.HTML, "")
    page.add("count", gr.HTML, "")
    with gr.Group(elem_id=f"{ID}_tab_filters"):
        page.add("low", gr.Slider, 0, 1, value=0, step=0.01, label="Keep scores from")
        page.add("high", gr.Slider, 0, 1, value=1, step=0.01, label="Keep scores to")
        page.add("percent", gr.Slider, **widget(Rule, "top_percent"), label="Keep the best percent")
        page.add("show", gr.Radio, list(SHOW), value="Kept and rejected", label="Show")
        page.add("text", gr.Textbox, label="Show only names and prompts with", lines=1, max_lines=1)
    with gr.Accordion("More rules", open=False, elem_id=f"{ID}_tab_rules"):
        page.add("sort", gr.Dropdown, list(SORT), value="Best first", label="Sort")
        per = widget(CurationRule, "per", PER)
        page.add("per", gr.Radio, **per, label="Percent and number count", remembered=True)
        page.add(
            "top",
            gr.Number,
            value=settings_of(Rule)["top_k"].value,
            precision=0,
            label="Keep at most so many (0: no limit)",
        )
        page.add(
            "unique", gr.Checkbox, value=False, label="Of pictures that look the same keep only the best"
        )
        stars = widget(CurationRule, "keep_stars")
        page.add("keep_stars", gr.Slider, **stars, label="Always keep pictures with so many stars (0: no)")


def _acting(page: Page) -> None:
    with gr.Accordion("Copy, move or link", open=False, elem_id=f"{ID}_tab_acting"):
        page.add("which", gr.Radio, list(WHICH), value="Kept", label="Which pictures")
        how = widget(CurateOptions, "action", HOW)
        page.add("how", gr.Radio, **how, label="What to do with them", remembered=True)
        for name, folder, label in (
            ("kept_folder", KEPT, "Folder for kept pictures"),
            ("rejected_folder", REJECTED, "Folder for rejected pictures"),
        ):
            page.add(name, gr.Textbox, value=folder, label=label, max_lines=1, remembered=True)
        page.add("resort", gr.Checkbox, value=False, label="Sort anew what lies in these folders already")
        written = widget(CurateOptions, "write_scores")
        page.add("write_scores", gr.Checkbox, **written, label="Write scores into the files' metadata")
        page.add("xmp", gr.Checkbox, value=False, label="Write ratings as XMP files beside them")
        with gr.Row():
            page.add("preview", gr.Button, "Preview")
            page.add("carry_out", gr.Button, "Carry out", variant="primary", interactive=False)
        page.add("plan", gr.HTML, "")


def _exporting(page: Page) -> None:
    from .exporting import FORMS

    with gr.Accordion("Export", open=False, elem_id=f"{ID}_tab_exporting"):
        with gr.Row():
            page.add("form", gr.Radio, list(FORMS), value="CSV", label="Form", remembered=True)
            page.add("export", gr.Button, "Export what is shown")
        page.add("file", gr.File, label="Exported file", visible=False, interactive=False)


def _gallery_column(page: Page) -> None:
    # The page's script draws the pictures in these two; Gradio's own gallery marks another picture than the chosen one at times.
    page.add("deck", gr.HTML, "", elem_classes=["imagereward-hidden"])
    page.add("gallery", gr.HTML, '<div class="imagereward-grid"></div>')
    with gr.Row(elem_classes=["imagereward-pager"]):
        page.add("page_back", gr.Button, "Page back")
        page.add("pages", gr.HTML, "")
        page.add("page_on", gr.Button, "Page on")
    page.add("quick", gr.Button, "Quick ranking")


def _chosen_column(page: Page) -> None:
    page.add("panel", gr.HTML, '<div class="imagereward-panel"></div>')
    with gr.Row(elem_id=f"{ID}_tab_sending"):
        for tab in SENT:
            page.add(f"send_{tab}", gr.Button, f"Send to {tab}")
    page.add("details", gr.HTML, "")
    page.add(
        "picture",
        gr.Image,
        type="pil",
        label="Chosen picture",
        interactive=False,
        show_label=False,
        elem_classes=["imagereward-hidden"],
    )
    page.add("infotext", gr.Textbox, visible=False, label="Parameters of the chosen picture")


def _join(page: Page) -> None:
    widgets = page.widgets
    wish = ("folder", "scorer", "also", "recursive", "prompt_from", "typed", "raw", "unscored")
    page.join(widgets["score"].click, handlers.score, (*wish, "kept_folder", "rejected_folder"))
    page.join(widgets["stop"].click, handlers.stop, only_looks=True)
    page.join(widgets["poll"].click, handlers.poll)
    page.join(widgets["free"].click, handlers.free, only_looks=True)
    filters = ("show", "sort", "low", "high", "percent", "top", "per", "unique", "keep_stars", "text")
    page.join(widgets["refresh"].click, handlers.refilter, filters, latest_counts=True)
    # What is typed or dragged is watched by the page's script, which waits for the end of it and then presses "refresh". What is chosen it
    # is told of: all filters go one way, one after the other, and the last one counts.
    for name in ("show", "sort", "per", "unique"):
        _tell_script(widgets[name].input, "filterChanged")
    for name, by in (("page_back", -1), ("page_on", 1)):
        page.join(widgets[name].click, handlers.turn_page, (), (by,))
    page.join(widgets["export"].click, handlers.export, ("form",))
    page.join(widgets["do"].click, culling.command, ("wish",))
    _tell_script(widgets["quick"].click, "openQuick")
    acting = ("which", "how", "kept_folder", "rejected_folder", "resort", "write_scores", "xmp")
    page.join(widgets["preview"].click, handlers.preview, acting)
    page.join(widgets["carry_out"].click, handlers.carry_out)
    page.join(widgets["undo"].click, handlers.undo)
    for name in acting:
        page.join(widgets[name].input, handlers.changed_mind, outputs=("plan", "carry_out"))
    _join_sending(page)


def _join_sending(page: Page) -> None:
    """The host's own way from a picture with its parameters to another tab."""
    from modules import infotext_utils

    for tab in SENT:
        infotext_utils.register_paste_params_button(
            infotext_utils.ParamBinding(
                paste_button=page.widgets[f"send_{tab}"],
                tabname=tab,
                source_text_component=page.widgets["infotext"],
                source_image_component=page.widgets["picture"],
            )
        )
