"""Prompt for Scoring: shows what a scorer will see of a prompt, and what it will not."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .host.scorer_cache import LoadedScorer
from .schema import SCORER, entry, output, schema


class NoPrompt(str):
    """The empty prompt of a picture that has none: any node takes it for text, and Score Images finds the reason in it."""

    reason: str

    def __new__(cls, reason: str) -> NoPrompt:
        """An empty text."""
        made = super().__new__(cls, "")
        made.reason = reason
        return made


class PromptForScoring(io.ComfyNode):
    """Removes generator syntax and shows what is cut."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "PromptForScoring",
            "Prompt for Scoring",
            "Shows what a scorer sees of a prompt: LoRA tags, weights and other generator syntax are removed, and with a scorer connected, "
            "the end that its token limit cuts off is named.",
            [
                entry(
                    io.String,
                    "prompt",
                    "The prompt as written for the generator.",
                    multiline=True,
                    default="",
                ),
                entry(
                    SCORER,
                    "scorer",
                    "From Load Scorer; adds what this scorer's token limit leaves unread.",
                    optional=True,
                ),
            ],
            [
                output(io.String, "clean_prompt", "For Score Images: the words without syntax.", "prompt"),
                output(io.String, "removed", "The pieces that were removed, one per line."),
                output(
                    io.String,
                    "cut",
                    "The end that the scorer does not read; empty where it reads all.",
                    "cut off",
                ),
                output(io.String, "report", "All of it in words."),
            ],
            ("clean prompt", "strip lora tags", "prompt cleaner"),
        )

    @classmethod
    def execute(cls, prompt: str = "", scorer: Any = None) -> Any:
        """Cleans."""
        from ..imagereward_core.metadata.cleaning import clean_prompt

        clean = clean_prompt(prompt)
        scorers = scorer.panel.scorers if isinstance(scorer, LoadedScorer) else ()
        cuts = {each.card.id: piece for each in scorers if (piece := each.cut(clean.text))}
        longest = max(cuts.values(), key=len, default="")
        lines = [f"The scorer sees: {clean.text or '(nothing)'}"]
        lines += [f"Removed: {piece}" for piece in clean.removed]
        lines += [f"Not read by {name}: {piece}" for name, piece in cuts.items()]
        lines += clean.notes
        return io.NodeOutput(clean.text, "\n".join(clean.removed), longest, "\n".join(lines))


NODES = [PromptForScoring]
