"""Which prompt belongs to which picture: as everywhere, with advice that fits a command line."""

from __future__ import annotations

from ..images.metadata import finding
from ..images.metadata.finding import ORIGINS, FoundPrompt, PromptSource

__all__ = ["ORIGINS", "FoundPrompt", "PromptFinder", "PromptSource"]


class PromptFinder(finding.PromptFinder):
    """Finds prompts, and says which options help where there is none."""

    without_words = "; give one with --prompt, or use --raw-prompt"
    without_prompt = ". Give one with --prompt"
