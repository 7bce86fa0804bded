"""Score Images: pictures and prompts in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..imagereward_core.errors import PromptError
from ..imagereward_core.plain import count_of
from .clips import PICTURE, Clips, clip_inputs, frame_rule
from .host.errors import GraphError
from .host.outputs import one
from .host.scorer_cache import LoadedScorer
from .prompts import NoPrompt
from .schema import SCORER, SCORES, entry, output, schema
from .streams import Pictures
from .text import table

if TYPE_CHECKING:
    from ..imagereward_core.metadata.missing import Prompt


class ScoreImages(io.ComfyNode):
    """Scores a batch, or a list of pictures of any sizes."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "ScoreImages",
            "Score Images",
            "Gives every picture a number: higher is better. Takes a batch or a list of pictures of any sizes, with one prompt for all or "
            "a list with one prompt per picture. The same picture saved and scored with the imagereward command gets the same number.",
            [
                entry(SCORER, "scorer", "From Load Scorer."),
                entry(
                    io.Image,
                    "images",
                    "A batch, a list of pictures of any sizes, or a list of clips (score_each).",
                ),
                entry(
                    io.String,
                    "prompt",
                    "What the pictures should show. One prompt for all, or a list with exactly one per picture; where the list "
                    "has an empty one, that picture alone has no score if the scorer needs a prompt. The demo scorer knows drawn scenes "
                    "such as: a red star left of a blue square on a gray background.",
                    multiline=True,
                    default="",
                ),
                entry(
                    io.Boolean,
                    "clean_prompt",
                    "Removes LoRA tags, weights and other generator syntax, which no scorer understands. Prompt for Scoring shows "
                    "the result.",
                    default=True,
                ),
                *clip_inputs(),
            ],
            [
                output(SCORES, "scores", "For the nodes that sort, filter, blend, show and save."),
                output(
                    io.Image,
                    "scored_images",
                    "The pictures, unchanged and in the same order; clips as a list.",
                    "images",
                    many=True,
                ),
                output(io.Float, "values", "The scores in the order of the pictures.", many=True),
                output(io.String, "table", "All pictures from best to worst as text."),
            ],
            (
                "ImageReward score",
                "rate images",
                "judge",
                "aesthetic score",
                "PickScore",
                "HPS",
                "CLIP score",
            ),
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        scorer: Any,
        images: Any,
        prompt: Any = "",
        clean_prompt: Any = True,
        score_each: Any = PICTURE,
        frames: Any = "middle",
        frame_count: Any = 4,
        clip_score: Any = "mean",
        clip_length: Any = 0,
    ) -> Any:
        """Scores all pictures, or all clips, in one call."""
        loaded = one(scorer)
        if not isinstance(loaded, LoadedScorer) or (isinstance(scorer, list) and len(scorer) != 1):
            raise GraphError("scorer is not one scorer; connect the output of one Load Scorer")
        rule = frame_rule(score_each, frames, frame_count, clip_score)
        clean, needed = bool(one(clean_prompt)), loaded.panel.needs_prompt
        if rule is None:
            pictures = Pictures(images)
            scored = loaded.score_batch(
                pictures.singles, _prompts(prompt, pictures.number, clean, needed, "picture")
            )
            same = list(images)
        else:
            clips = Clips.of_length(images, int(one(clip_length)))
            scored = loaded.score_clips(
                clips.singles, _prompts(prompt, clips.number, clean, needed, "clip"), rule
            )
            same = clips.singles
        return io.NodeOutput(scored, same, list(scored.scores), table(scored))


def _prompts(given: Any, number: int, clean: bool, needed: bool, noun: str) -> list[Prompt]:
    """One prompt per picture or clip, as the scorer is to see it; of a list some may be missing.

    Raises:
        PromptError: The number does not fit, or the one prompt for all is empty and must not be.
    """
    from ..imagereward_core.metadata.cleaning import clean_prompt
    from ..imagereward_core.metadata.missing import MissingPrompt
    from ..imagereward_core.metadata.types import has_words

    texts: Sequence[Any] = given if isinstance(given, list) else [given]
    if len(texts) not in (1, number):
        raise PromptError(
            f"{count_of(len(texts), 'prompt')} for {count_of(number, noun)}; expected one prompt for all, or a list with exactly "
            f"one per {noun}. Connect the list that belongs to these {noun}s."
        )
    if not all(isinstance(text, str) for text in texts):
        raise PromptError("a prompt is not text; connect a STRING")
    seen: list[Prompt] = []
    for text in texts:
        words = clean_prompt(text).text if clean else text
        why = (
            text.reason
            if isinstance(text, NoPrompt)
            else "its prompt is empty, or holds generator syntax only"
        )
        seen.append(words if has_words(words) else MissingPrompt(why))
    if needed and len(texts) == 1 and not isinstance(seen[0], str) and not isinstance(texts[0], NoPrompt):
        raise PromptError(
            "the prompt is empty, or holds generator syntax only; this scorer compares pictures with their prompt. Type or connect what "
            "the pictures should show, or use a scorer that needs no prompt (Aesthetic)."
        )
    return seen * number if len(seen) == 1 else seen


NODES = [ScoreImages]
