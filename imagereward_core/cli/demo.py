"""``imagereward demo``: draws pictures, scores, sorts and filters them, and writes a page. No network, no weights to fetch."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..plain import count_of
from .arguments import number_type
from .console import Console
from .exits import UsageError
from .options import Commands, add_command, add_talk

if TYPE_CHECKING:
    from ..demo.batches import DrawnBatch, DrawnPicture

DEFAULT_FOLDER = "imagereward-demo"
SOFTWARE = "imagereward demo"
_PROMPTS, _PICTURES = 4, 6
_SEED = 1
_KEPT_PERCENT = 50
_PAGE = "index.html"


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "demo",
        run,
        help="draw, score, sort and filter a few batches; no network needed",
        description=(
            "Draws a few batches of pictures with their prompts inside, as an image generator would save them, scores "
            "them with the small demo model that comes with this program, keeps the better half of each batch and writes "
            "one page about it. The demo model judges such drawn scenes only."
        ),
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help=f"folder to write (default: ./{DEFAULT_FOLDER}, followed by the numbers below where they are not the usual ones)",
    )
    for option, low, high, default, metavar, words in (
        ("--prompts", 1, 200, _PROMPTS, "N", "number of prompts"),
        ("--pictures-per-prompt", 1, 100, _PICTURES, "N", "pictures for each"),
        ("--seed", -math.inf, math.inf, _SEED, "N", "another number, other pictures"),
        ("--size", 32, 4096, 384, "PIXELS", "side of the pictures"),
    ):
        number = number_type(low, high, whole=True)
        parser.add_argument(
            option, type=number, default=default, metavar=metavar, help=f"{words} (default: {default})"
        )
    add_talk(parser)


def run(args: argparse.Namespace) -> int:
    """Draws, scores, prints and writes the page; returns the exit code."""
    from dataclasses import asdict

    from ..demo.batches import draw_batches
    from ..report.write import write_report
    from ..selection import Rule, select
    from .inputs import Input
    from .output.rows import make_rows, order_by_prompt
    from .output.write import put, render, window_width
    from .prompts import PromptFinder
    from .score_run import exit_code, report_entries, score_inputs

    console = Console(args.quiet)
    folder = args.output or Path(_default_folder(args))
    page = folder / _PAGE
    _check(page)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; --output takes the name of a folder")
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    truths: list[str] = []
    batches = draw_batches(args.prompts, args.pictures_per_prompt, args.seed, args.size)
    for number, batch in enumerate(batches, start=1):
        for place, picture in enumerate(batch.pictures, start=1):
            paths.append(_save(folder, number, place, batch, picture))
            truths.append(picture.truth)
    console.say(
        f"Drew {count_of(len(paths), 'picture')} for {count_of(args.prompts, 'prompt')} into {folder}"
    )

    settings = argparse.Namespace(
        scorer="demo",
        also=[],
        device="cpu",
        precision="fp32",
        batch_size=None,
        whole_picture=False,
        models_dir=[],
        offline=True,
    )
    job = score_inputs(settings, [Input(path) for path in paths], PromptFinder(None), console)
    scores = job.scored.scores
    rule = Rule(top_percent=_KEPT_PERCENT, within="prompt")
    selection = select(scores, rule)
    rows = make_rows(job.scored, selection, explain=False)
    order = order_by_prompt(selection, scores)
    put(render("table", rows, order, scores, job.card, asdict(rule), window_width()), None, data=False)
    entries = report_entries(job.scored, page, [f"Drawn: {truth}" for truth in truths])
    title = f"Demo: {len(job.scored.inputs)} drawn pictures, {count_of(len(set(scores.prompts)), 'prompt')}"
    write_report(page, entries, scores, selection, job.card, title=title)
    console.say(
        f"Kept {len(selection.kept)} of {len(paths)}: the better half for each prompt. Nothing was moved or deleted."
    )
    console.say(f"The page with all pictures: {page.resolve()}")
    options = f"--scorer demo --within prompt --top-percent {_KEPT_PERCENT}"
    console.say(f'The same from the command line: imagereward rank "{folder}" {options}')
    return exit_code(job.scored)


def _default_folder(args: argparse.Namespace) -> str:
    """One folder for each choice of numbers, so that the pictures of different runs do not get mixed."""
    numbers = (args.prompts, args.pictures_per_prompt, args.seed)
    usual = numbers == (_PROMPTS, _PICTURES, _SEED)
    return DEFAULT_FOLDER + ("" if usual else "-{}x{}-seed{}".format(*numbers))


def _save(folder: Path, number: int, place: int, batch: DrawnBatch, picture: DrawnPicture) -> Path:
    """Saves a picture as a WebUI would, with its prompt and settings in the PNG text ``parameters``."""
    from PIL.PngImagePlugin import PngInfo

    from ..files.whole import written_whole

    path = folder / f"{number:02d}-{place:02d} {picture.truth.removeprefix('as asked, ')}.png"
    _check(path)
    side = picture.image.width
    text = PngInfo()
    text.add_text(
        "parameters",
        f"{_written(number, batch.prompt)}\nSteps: 1, Sampler: drawn, Seed: {picture.seed}, Size: {side}x{side}",
    )
    text.add_text("Software", SOFTWARE)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        picture.image.save(file, format="PNG", pnginfo=text)
    return path


def _written(number: int, prompt: str) -> str:
    """The prompt as its author might have written it: every second one with emphasis and a LoRA tag, which scorers do not see."""
    if number % 2:
        return prompt
    words = prompt.split(" ")
    return " ".join([words[0], f"({' '.join(words[1:3])}:1.2)", *words[3:], "<lora:flat_shapes:0.8>"])


def _check(path: Path) -> None:
    """Raises where writing ``path`` would replace something that an earlier demo has not written, or would go elsewhere over a link."""
    if not path.is_symlink() and (not path.exists() or _is_own(path)):
        return
    raise UsageError(
        f"{path} is there already and is not from an earlier demo; name another folder with --output"
    )


def _is_own(path: Path) -> bool:
    from PIL import Image

    from ..report.page import GENERATOR

    try:
        if path.suffix == ".html":
            with path.open(encoding="utf-8") as file:
                return f'name="generator" content="{GENERATOR}"' in file.read(2000)
        with Image.open(path) as image:
            return bool(image.info.get("Software") == SOFTWARE)
    except (OSError, ValueError):
        return False
