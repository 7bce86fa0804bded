"""The commands of the second package, imagereward_lab: known here by name alone, and loaded when one is chosen."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from .exits import NoScorerError
from .parser import Parser


@dataclass(frozen=True)
class LabCommand:
    """A command of the second package.

    Attributes:
        module: Where its ``declare(parser)`` is.
        help: One line for the list of commands.
        extra: The extra of the package that brings what it needs.
    """

    module: str
    help: str
    extra: str = "train"


LAB_COMMANDS = {
    "open": LabCommand(
        "imagereward_lab.server.browse.command", "look through a folder in the browser", "server"
    ),
    "rankings": LabCommand(
        "imagereward_lab.data.command", "check, convert and split rankings of pictures made by people"
    ),
    "train": LabCommand("imagereward_lab.training.command", "train a reward model on rankings"),
    "evaluate": LabCommand(
        "imagereward_lab.evaluation.command", "measure how well scorers agree with people's rankings"
    ),
    "analyse": LabCommand(
        "imagereward_lab.annotation.analysis.command",
        "what annotations say: by category, by words that ask for quality, and how far people agree",
        "analysis",
    ),
    "train-phrases": LabCommand(
        "imagereward_lab.annotation.analysis.phrases.train_command",
        "train a network that finds the phrases of prompts, from marked ones",
        "analysis",
    ),
    "compare-models": LabCommand(
        "imagereward_lab.evaluation.compare_command", "rank generators by the pictures they made"
    ),
    "select-prompts": LabCommand(
        "imagereward_lab.prompts.command", "choose prompts worth asking people about", "prompts"
    ),
    "refl": LabCommand(
        "imagereward_lab.refl.command", "tune a text-to-image model to a reward, as a LoRA", "refl"
    ),
    "draw": LabCommand(
        "imagereward_lab.refl.draw_command", "draw prompts with a model, with or without a tuned LoRA", "refl"
    ),
    "annotate": LabCommand(
        "imagereward_lab.annotation.command",
        "ask people about pictures, on a page of this computer",
        "server",
    ),
}


def add_parsers(commands: argparse._SubParsersAction[Parser]) -> None:
    """Declares the commands without loading them."""
    for name, command in LAB_COMMANDS.items():
        parser = commands.add_parser(
            name, help=command.help, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.declare = partial(_declare, name, command)


def _declare(name: str, command: LabCommand, parser: Parser) -> None:
    try:
        import_module(command.module).declare(parser)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        what = "its part of the program is not in this copy" if missing == "imagereward_lab" else str(error)
        raise NoScorerError(
            f"'imagereward {name}' cannot start: {what}. Install it with: "
            f"pip install 'imagereward-curator[{command.extra}]'"
        ) from error
