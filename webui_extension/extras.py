"""The Extras tab's entry: the score of an upscaled or mended picture, in its info."""

from __future__ import annotations

from typing import Any

from imagereward_core.errors import CuratorError

from .door import guard, report

NAME = "ImageReward"
ORDER = 20000
"""Behind everything that changes the picture; the host's own steps end at 5000."""


def make_script() -> type | None:
    """The class the host is to find in the script file; None in a host that has no such scripts."""
    try:
        from modules import scripts_postprocessing
    except ImportError:
        return None

    class ImageRewardExtras(scripts_postprocessing.ScriptPostprocessing):
        """Scores a picture; what it does is in this module's functions."""

        name = NAME
        order = ORDER

        def ui(self) -> dict[str, Any]:
            """See the host."""
            # With nothing at all in its place the host would not come up.
            return guard(controls, "building the entry of the Extras tab", {})()

        def process_firstpass(self, pp: Any, **values: Any) -> None:
            """See the host; the picture still is what was put in."""
            remember_prompt(pp, **values)

        def process(self, pp: Any, **values: Any) -> None:
            """See the host."""
            score(pp, **values)

    return ImageRewardExtras


def controls() -> dict[str, Any]:
    """The widgets by the names of their values."""
    import gradio as gr
    from modules.ui_components import InputAccordion

    from .host.info import option
    from .scorer_cache import choices

    scorers = choices()
    with InputAccordion(False, label="ImageReward score", elem_id="imagereward_extras") as enable, gr.Row():
        scorer = gr.Dropdown(
            scorers,
            value=option("imagereward_scorer", scorers[0]),
            label="Scorer for the result",
            elem_id="imagereward_extras_scorer",
        )
        prompt = gr.Textbox(
            label="Prompt to score with (empty: the picture's own)", elem_id="imagereward_extras_prompt"
        )
    for each in (scorer, prompt):
        each.do_not_save_to_config = True
    return {"enable": enable, "scorer": scorer, "prompt": prompt}


def remember_prompt(
    pp: Any, enable: bool | None = None, scorer: str | None = None, prompt: str | None = None
) -> None:
    """Reads the prompt while the picture still has its metadata; other steps make pictures without. Never raises."""
    if not enable:
        return
    from imagereward_core.metadata.missing import MissingPrompt
    from imagereward_core.metadata.prompt_finder import PromptFinder

    try:
        # Copies of a picture made by other steps share this object.
        pp.shared.imagereward_prompt = MissingPrompt()
        if not (prompt or "").strip():
            pp.shared.imagereward_prompt = PromptFinder(None, "metadata")(pp.image).given
    except Exception as error:
        report("the prompt of a picture of the Extras tab could not be read", error)


def score(pp: Any, enable: bool | None = None, scorer: str | None = None, prompt: str | None = None) -> None:
    """Writes the score into the picture's info. The host's API passes None for what it does not know: that is off.

    Whatever goes wrong is a line in the log; the picture goes its way.
    """
    if not enable:
        return
    try:
        pp.info.update(_fields(pp, scorer or "", (prompt or "").strip()))
    except Exception as error:
        report("a picture of the Extras tab has no score", error)


def _fields(pp: Any, scorer: str, typed: str) -> dict[str, str]:
    from imagereward_core.metadata.prompt_finder import PromptFinder
    from imagereward_core.metadata.score_keys import score_fields

    from .scorer_cache import load, request_from_settings

    if not hasattr(pp.shared, "imagereward_prompt"):
        # The host runs only a half of the entry there, and would write one picture's score into the next one's infotext.
        raise CuratorError(
            "this entry is for the Extras tab; in txt2img and img2img use the accordion ImageReward Curator, and take ImageReward "
            "out of the setting for postprocessing operations there"
        )
    loaded = load(request_from_settings(scorer))
    given = PromptFinder(typed)(pp.image).given if typed else pp.shared.imagereward_prompt
    # The host holds its queue here already, in the pages and in the API.
    result = loaded.score([pp.image], [given])
    if result.main.failures:
        advice = "" if isinstance(given, str) else ". Type one in the Extras tab"
        raise CuratorError(f"{result.main.failures[0]}{advice}")
    values = {
        each.scorer: float(each.values[0]) for each in (result.main, *result.beside) if not each.failures
    }
    return score_fields(values)
