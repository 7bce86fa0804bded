"""The prompt of each picture, found as everywhere, with advice that fits a command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..metadata import prompt_finder
from .exits import UsageError


def check_typed(args: argparse.Namespace) -> None:
    """Raises UsageError where the prompt for all pictures has nothing to read in it, before anything is scored."""
    finder = PromptFinder(args.prompt, args.prompt_from, args.raw_prompt)
    if args.prompt is not None and finder(Path()).problem:
        raise UsageError(
            "--prompt holds no words for the scorer to read; expected a description of the pictures"
        )


class PromptFinder(prompt_finder.PromptFinder):
    """Finds prompts, and says which options help where there is none."""

    without_words = "; give one with --prompt, or use --raw-prompt"
    without_prompt = ". Give one with --prompt"
