"""``imagereward draw``: pictures of prompts by a model, with or without a tuned LoRA, to be compared, judged and asked about."""

from __future__ import annotations

import argparse
from pathlib import Path

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.options import add_talk, check_given
from imagereward_core.cli.parser import Parser
from imagereward_core.cli.refused import why_no_folder
from imagereward_core.plain import count_of
from imagereward_core.runtime import pick_device

from ..data.notes import Notes
from ..prompts.sources import read_prompts
from .bases.load import DTYPES, load_base
from .draw import DrawOptions, Wanted, draw_all, drawn_already, infotext, put_lora, wanted
from .options import RunOptions
from .result import model_digest
from .tuning.config import TuningConfig

_OPTIONS = {
    "--number": "number",
    "--seed": "seed",
    "--steps": "steps",
    "--guidance": "guidance",
    "--height": "height",
    "--width": "width",
    "--batch": "batch",
}
_EPILOG = """\
examples:
  imagereward draw --model sd15.safetensors --prompts prompts.txt --number 6 -o drawn             pictures to ask people about
  imagereward draw --model sd15.safetensors --prompts other.txt -o before                         before and after a tuning:
  imagereward draw --model sd15.safetensors --prompts other.txt -o after --lora mine.safetensors  the same prompts and seeds
  imagereward compare-models before after --scorer ImageReward-v1.0

Prompt, seed and settings stand in each picture as the WebUIs write them. The same command after a kill draws what is missing.

exit codes:
    0  drawn
    1  drawn; some prompts were left out
    2  the command line cannot be understood, or no prompts were found
    4  anything else: an unknown model, a LoRA for another one, a full disk, a file that is in the way
"""


def declare(parser: Parser) -> None:
    """Adds the arguments."""
    parser.description = (
        "Draws pictures of prompts with a text-to-image model: plain DDIM (Euler for flow models), to see what a LoRA of "
        "'imagereward refl' does, or to have pictures to judge and ask about. It is no host: for anything more use ComfyUI or a WebUI."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="FILE|DIR",
        help="the model: a checkpoint (.safetensors), or a folder of diffusers",
    )
    parser.add_argument(
        "--prompts",
        required=True,
        metavar="FILE",
        help="a text with a prompt on each line, a table (.csv, .tsv), Parquet, or a folder of pictures with prompts",
    )
    parser.add_argument("--column", default="", metavar="NAME", help="the column with the prompts of a table")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the pictures"
    )
    parser.add_argument(
        "--lora", type=Path, metavar="FILE", help="a LoRA that 'imagereward refl' has made for this model"
    )
    for option, name in _OPTIONS.items():
        add_setting(parser, DrawOptions, name, option)
    machine = parser.add_argument_group("machine")
    add_setting(machine, TuningConfig, "precision", "--precision")
    add_setting(machine, RunOptions, "prediction", "--prediction")
    machine.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:1 (default: auto)"
    )
    machine.add_argument(
        "--merges", type=Path, metavar="FILE", help="CLIP's merges.txt, for checkpoints of one file"
    )
    add_talk(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draws; returns the exit code.

    Raises:
        UsageError: The folder cannot be one.
        SelectionError: The prompts cannot be read.
        TrainingError: The model or the LoRA cannot be used, or a file is in the way.
    """
    console = Console(args.quiet)
    check_given({"--model": args.model, "--lora": args.lora, "--merges": args.merges})
    options = DrawOptions(**{name: getattr(args, name) for name in _OPTIONS.values()})
    if reason := why_no_folder(args.output):
        raise UsageError(f"{args.output} cannot be the folder of pictures: {reason}; name another --output")
    notes = Notes()
    found, _ = read_prompts(args.prompts, notes, args.column)
    base = load_base(
        args.model,
        pick_device(args.device),
        DTYPES[args.precision],
        prediction=None if args.prediction == "auto" else args.prediction,
        merges=args.merges,
    )
    for remark in base.parts.remarks:
        console.say(remark)
    digest = model_digest(args.model)
    lora = ""
    if args.lora is not None:
        made_for = put_lora(base, args.lora)
        lora = f"{args.lora.stem}: {model_digest(args.lora)[:12]}"
        if made_for and made_for != digest:
            console.complain(
                f"note: {args.lora} was tuned on another model than {args.model}; its layers fit, and it is used"
            )
    told: list[tuple[Wanted, str]] = []
    left_out = [str(each) for each in notes]
    for one in wanted(list(found), args.output, options):
        try:
            told.append((one, infotext(one, base, options, args.model.stem, digest, lora)))
        except ValueError as error:
            left_out.append(str(error))
    for note in left_out[:5]:
        console.complain(f"left out: {note}")
    there = {one.path for one, text in told if drawn_already(one.path, text)}
    if there:
        console.say(f"{len(there):,} of {count_of(len(told), 'picture')} are there already")
    args.output.mkdir(parents=True, exist_ok=True)
    with console.count(len(told), "pictures") as progress:
        cut = draw_all(base, told, options, progress, there)
    if cut:
        console.complain(
            f"note: {count_of(len(cut), 'prompt')} of those drawn are longer than the model reads; the end was left out, such as "
            f"{cut[0][:60]!r}"
        )
    console.say(f"{count_of(len(told), 'picture')} in {args.output}")
    return SOME_FAILED if left_out else DONE
