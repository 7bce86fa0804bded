"""Options that several commands share, and the settings made from them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..library.scan.options import ScanOptions
from ..scorers.requests import LoadRequest
from .arguments import add_setting, number_type
from .exits import EXPLANATION, UsageError

if TYPE_CHECKING:
    from ..weights.locate import WeightSettings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

MODELS_VARIABLE = "IMAGEREWARD_MODELS"
FORMATS = ("table", "csv", "json", "jsonl")
_PLAIN_ENDINGS = ("", "txt", "text", "log")

ROWS = """\
each row of csv, json and jsonl holds:
  file              path of the picture, as it was given
  score             the raw score; higher is better; empty (null) without one
  percentile        share of the scorer's reference scores below it, 0 to 100
  rank              1 is best, among all pictures of this run; 0 without a score
  rank_in_prompt    rank among the pictures with the same prompt
  scored_in_prompt  how many pictures that is
  kept              whether the picture passes the filter ('score' keeps whatever it can score)
  reason            why it was rejected or kept, or why it has no score
  prompt            the prompt as the scorer was given it
  prompt_cut        the end of the prompt that did not fit into the scorer and was not read
  prompt_written    the prompt as it was written, with LoRA tags, weights and the like
  prompt_source     option, sidecar (text file beside the picture) or metadata
  notes             choices made while reading the prompt
  disputed          where the scorers disagree about the picture: who puts it where, for a person to look at
  beside            scores by the other scorers of --also, or by the members of a blend (csv: one column score:ID for each)
  beside_reason     which of these have no score, and why
  scorer, revision  which scorer and which weights (csv and jsonl; json has them once, with facts about the scorer)
"""


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    help: str,
    description: str,
    notes: str = "",
) -> argparse.ArgumentParser:
    """Declares a command; its help ends with ``notes`` and the exit codes."""
    parser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=f"{notes}\n{EXPLANATION}".lstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """What to score and for which prompt."""
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="files, folders, patterns such as 'out/*.png', or - for a list on stdin",
    )
    parser.add_argument("-r", "--recursive", action="store_true", help="look into subfolders as well")
    add_prompts(parser)


def add_prompts(parser: argparse.ArgumentParser) -> None:
    """Which prompt belongs to which picture."""
    group = parser.add_argument_group("prompts")
    which = group.add_mutually_exclusive_group()
    which.add_argument("-p", "--prompt", metavar="TEXT", help="one prompt for all pictures")
    add_setting(which, ScanOptions, "prompt_from", "--prompt-from")
    add_setting(group, ScanOptions, "raw_prompt", "--raw-prompt")


def add_scorer(parser: argparse.ArgumentParser) -> None:
    """Which scorer, and how it runs."""
    group = parser.add_argument_group("scorer")
    blend = "a blend is the name of a saved one (blend:NAME) or its text, such as ImageReward-v1.0=0.7,PickScore=0.3@rank"
    add_setting(group, LoadRequest, "name", "-s", "--scorer", more=blend, metavar="ID|FILE|BLEND")
    group.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="ID",
        help="show the scores of this scorer as well; may be given several times. 'all' means all published ones that are here",
    )
    add_setting(group, LoadRequest, "device", "--device", more="auto, cpu, cuda, cuda:1, xpu or mps")
    add_setting(group, LoadRequest, "precision", "--precision")
    least = number_type(1, whole=True)  # without the option the core takes the number that suits the device
    add_setting(group, LoadRequest, "batch_size", "--batch-size", type=least, default=None)
    add_setting(group, LoadRequest, "whole_picture", "--whole-picture")


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Where weights are."""
    group = parser.add_argument_group("weights")
    group.add_argument(
        "--models-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="folder with weights, searched first; may be given several times. Folders in the environment variable "
        f"{MODELS_VARIABLE} (separated by '{os.pathsep}') come after these",
    )
    group.add_argument("--offline", "--no-download", action="store_true", help="never download anything")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where results go."""
    group = parser.add_argument_group("output")
    words = "form of the results (default: by the ending of --output, else table)"
    group.add_argument("-f", "--format", choices=FORMATS, help=words)
    group.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the results to FILE instead of printing them"
    )
    words = "write a page with the pictures as well; it opens in any browser"
    group.add_argument("--html", type=Path, metavar="FILE", help=words)
    add_overwrite(group)
    add_talk(group)


def add_talk(parser: argparse._ActionsContainer) -> None:
    """How much is said."""
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no messages and no progress, only results and errors"
    )
    parser.add_argument("--debug", action="store_true", help="show where in the program an error arose")


def weight_settings(args: argparse.Namespace) -> WeightSettings:
    """Where weights are looked for: --models-dir, then the folders of the environment variable."""
    from ..weights.locate import WeightSettings

    named = [*args.models_dir, *os.environ.get(MODELS_VARIABLE, "").split(os.pathsep)]
    folders = tuple(dict.fromkeys(Path(name).expanduser() for name in named if name))
    return WeightSettings(folders=folders, allow_download=not args.offline, to_allow="leave out --offline")


def data_folder() -> Path | None:
    """The user's own folder for this program, where systems keep such; None where there is no home. It need not exist yet."""
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "imagereward"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Application Support" / "imagereward"
        named = Path(os.environ.get("XDG_DATA_HOME", ""))
        return (named if named.is_absolute() else Path.home() / ".local" / "share") / "imagereward"
    except RuntimeError:
        return None


def chosen_format(args: argparse.Namespace) -> str:
    """The form of the results; UsageError where the ending of the file to write is that of another form."""
    return form_by_ending(args, FORMATS)


def form_by_ending(
    args: argparse.Namespace, forms: Sequence[str], endings: Mapping[str, str] | None = None
) -> str:
    """The one of ``forms`` that --format or the ending of --output names; a table where neither does.

    Args:
        args: The command line.
        forms: Those there are.
        endings: Forms by endings that are not their names.

    Raises:
        UsageError: The ending of the file to write is that of another form.
    """
    if args.format:
        return str(args.format)
    known = {**{form: form for form in forms}, **dict.fromkeys(_PLAIN_ENDINGS, "table"), **(endings or {})}
    ending = args.output.suffix.lower().lstrip(".") if args.output else ""
    if ending in known:
        return known[ending]
    own = [
        f".{each}"
        for each in known
        if each and each not in ("table", *_PLAIN_ENDINGS, *(endings or {}).values())
    ]
    raise UsageError(
        f"--output {args.output}: there are no results in the form .{ending}; expected {', '.join(own)}, or .txt for the table. With "
        "--format any name will do"
    )


def add_consent(group: argparse._ActionsContainer, dry_run: str, yes: str = "do it without asking") -> None:
    """Whether it is done, as :func:`.console.wanted` reads it; the texts say what each option means here."""
    which = group.add_mutually_exclusive_group()
    which.add_argument("-n", "--dry-run", action="store_true", help=dry_run)
    which.add_argument("-y", "--yes", action="store_true", help=yes)


def add_list_format(parser: argparse._ActionsContainer, words: str = "form of the list") -> None:
    """Whether a person or a program reads what is printed."""
    parser.add_argument(
        "-f", "--format", choices=("table", "json"), default="table", help=f"{words} (default: table)"
    )


def add_overwrite(parser: argparse._ActionsContainer) -> None:
    """Whether files of others may be replaced."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a file to be written that is there already and is not from this program; a picture is never replaced",
    )


def check_given(given: Mapping[str, Path | None]) -> None:
    """Raises UsageError where one of these options names a file or folder to read that is not there."""
    for option, path in given.items():
        if path is not None and not path.expanduser().exists():
            raise UsageError(f"{option} {path}: there is no such file or folder. Check the path")


def check_writable(
    targets: Mapping[str, Path | None], overwrite: bool, read: Iterable[Path | None] = ()
) -> None:
    """Raises UsageError, before an hour of work and not after it, where a file cannot be written as asked for, or must not be.

    ``targets`` are the files by the options that name them; ``overwrite`` allows those to be replaced that this program did not write,
    but for those that are ``read`` here: results in their place would be the end of what they are made from.
    """
    from ..files.regular import is_folder
    from ..report.output_files import refusal
    from ..report.replace import is_stream

    named: dict[str, str] = {}
    inputs = {os.path.realpath(each) for each in read if each is not None}
    for option, target in targets.items():
        if target is None or is_stream(target):
            continue
        if str(target) == "-":
            raise UsageError(
                f"{option} took - as the name of the file to write; expected a file. Results are printed without {option}"
            )
        if reason := refusal(target, overwrite):
            example = f". Was the name left out? Write {option} {example_file(option)}"
            hint = example if target.exists() else ""
            raise UsageError(f"{option} took {target} as the name of the file to write: {reason}{hint}")
        place = os.path.realpath(target)
        if place in inputs:
            raise UsageError(
                f"{option} {target}: this file is read here, and what it holds would be gone; give another name"
            )
        folder = os.path.dirname(place)  # noqa: PTH120
        if not is_folder(folder):
            raise UsageError(f"{option} {target}: it cannot be written, there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{option} {target}: it cannot be written, nothing may be put into {folder}")
        if place in named:
            raise UsageError(f"{option} {target}: {named[place]} names the same file; give each its own")
        named[place] = option


def example_file(option: str) -> str:
    """A name that can stand after an option that writes a file."""
    return {"--html": "page.html", "--output": "results.csv"}.get(option, f"results.{option.lstrip('-')}")
