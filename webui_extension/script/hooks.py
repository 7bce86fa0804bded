"""The class the host calls. Every hook is short, and an error in one never reaches the host."""

from __future__ import annotations

from typing import Any

from ..door import guard, report
from . import hires_gate, infotext, lifecycle, saving, ui
from .arguments import TITLE
from .failures import safely


def script_class() -> type:
    """The script, made from the host's own base class."""
    from modules import scripts

    class ImageRewardScript(scripts.Script):
        """Scores pictures before they are saved, sorts and keeps the best. See the functions that the hooks call."""

        sorting_priority = 20

        def title(self) -> str:
            """The name under which the API knows the script; never changed."""
            return TITLE

        def show(self, is_img2img: bool) -> Any:
            """In both tabs, beside every other script."""
            return scripts.AlwaysVisible

        def ui(self, is_img2img: bool) -> list[Any]:
            """The accordion; called several times, so without side effects."""
            build = guard(ui.build, "building the accordion", [])
            return build(self, "img2img" if is_img2img else "txt2img")

        def before_process(self, p: Any, *values: Any) -> None:
            """Before anything of a run."""
            try:
                lifecycle.begin(p, values)
            except Exception as error:
                line = report("this run goes on without scores", error)
                infotext.announce(p, None)
                if hasattr(p, "comment"):
                    p.comment(line)

        def before_process_batch(self, p: Any, *values: Any, **named: Any) -> None:
            """Before a batch: the one before it is complete."""
            self._call(p, "starting a batch", lifecycle.start_batch)

        def postprocess_batch_list(self, p: Any, pp: Any, *values: Any, **named: Any) -> None:
            """When a batch is decoded."""
            run = saving.find(p)
            if run is not None:
                hires_gate.align(run, pp)
            self._call(p, "listing a batch", lifecycle.list_batch, pp)

        def postprocess_image_after_composite(self, p: Any, pp: Any, *values: Any) -> None:
            """When a picture is final."""
            self._call(p, "collecting a picture", lifecycle.collect, pp)

        def postprocess(self, p: Any, processed: Any, *values: Any) -> None:
            """After the last batch."""
            self._call(p, "finishing a run", lifecycle.end, processed)

        def _call(self, p: Any, what: str, function: Any, *arguments: Any) -> None:
            run = saving.find(p)
            if run is not None:
                safely(run, what, function, run, *arguments)

    return ImageRewardScript
