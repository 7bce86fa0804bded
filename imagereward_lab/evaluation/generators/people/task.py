"""The best picture of each generator for each prompt as a blind task for people, and their answers (arXiv 2304.05977, Table 4).

A task is a folder with pictures and ``tasks.jsonl``, rankings in the documented form whose ranks people are to fill in, also as the table
``answers.csv``. Nothing in it says which generator made which picture: names are random, pictures are written anew without metadata, all in
one format, at one time and in random order. Which is which says the key, a file that lies elsewhere.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.refused import sentence, why_no_folder
from imagereward_core.errors import ImageError
from imagereward_core.files.whole import naming, written_whole
from imagereward_core.plain import spreadsheet_safe
from imagereward_core.report.replace import replacing

from ....data.jsonl import line_of
from ....data.ranking import Ranking
from ...scoring import Images
from ..pictures import MatchError
from ..results import Compared
from .key import Key, Picture

TASKS, TABLE = "tasks.jsonl", "answers.csv"
_TOKEN = 6


def check_folder(folder: Path, key: Path) -> None:
    """Makes sure that a task can be put into ``folder`` and its key elsewhere.

    Raises:
        UsageError: There is something in the folder, or the key would lie in it.
    """
    try:
        taken = next(folder.iterdir(), None)
    except FileNotFoundError:
        taken = None
    except OSError as error:
        raise UsageError(f"--export-task {sentence(error)}; expected the name of a new folder") from error
    if taken is not None:
        raise UsageError(
            f"--export-task {folder}: the folder is there and holds {taken.name}; expected a new or an empty one, so that nothing in it is "
            "mixed with the task"
        )
    if reason := why_no_folder(folder):
        raise UsageError(f"--export-task {folder}: {reason}; expected the name of a new folder")
    inside = Path(os.path.realpath(key)).parents
    if Path(os.path.realpath(folder)) in inside:
        raise UsageError(
            f"--key {key}: the key would lie in the folder of the task, where people who answer could read it; expected a place elsewhere"
        )


def export_task(
    folder: Path, key_file: Path, compared: Compared, images: Images, overwrite: bool = False
) -> tuple[int, list[str]]:
    """Writes the task and its key; returns how many prompts it has, and what must be known about it.

    Prompts and the pictures of each are in random order. A picture that cannot be read again costs its prompt alone.

    Args:
        folder: A new or empty folder.
        key_file: Where the key goes.
        compared: What was compared; the first scorer says which picture is the best.
        images: Where pictures are read from.
        overwrite: Whether a file at the place of the key may be replaced.

    Raises:
        UsageError: See :func:`check_folder`.
        MatchError: Not a single picture can be read.
        OutputFileError, OSError: Something cannot be written.
    """
    check_folder(folder, key_file)
    folder.mkdir(parents=True, exist_ok=True)
    drawn, moment = secrets.SystemRandom(), float(int(time.time()))
    order = list(range(len(compared.scored.rankings)))
    drawn.shuffle(order)
    rankings: list[Ranking] = []
    pictures: dict[str, Picture] = {}
    notes: list[str] = []
    sizes: dict[str, set[tuple[int, int]]] = {name: set() for name in compared.generators}
    for row in order:
        ranking = compared.scored.rankings[row]
        chosen = [
            (generator, ranking.images[int(at)])
            for generator, at in zip(compared.generators, compared.results[0].best_at[row])
        ]
        drawn.shuffle(chosen)
        number = f"{len(rankings) + 1:04d}"
        names = [f"{number}_{secrets.token_hex(_TOKEN)}.png" for _ in chosen]
        try:
            plain = [plain_picture(images, name) for _, name in chosen]
        except ImageError as error:
            notes.append(f"left out of the task: {ranking.prompt}: {error}")
            continue
        for name, (generator, original), picture in zip(names, chosen, plain):
            _write(folder / name, picture, moment)
            pictures[name] = Picture(generator, original)
            sizes[generator].add(picture.size)
        rankings.append(Ranking(ranking.prompt, tuple(names), id=number))
    if not rankings:
        raise MatchError(f"no task could be made: {notes[0] if notes else 'there is no prompt'}")
    key = Key(compared.generators, compared.scored.scorers[0], pictures)
    with replacing(key_file, overwrite=overwrite) as temporary:
        temporary.write_text(key.text(), encoding="utf-8", newline="\n")
    _write_text(folder / TABLE, _table(rankings))
    _write_text(folder / TASKS, "".join(map(line_of, rankings)))
    if len({frozenset(each) for each in sizes.values()}) > 1:
        told = "; ".join(f"{name} {_sizes(each)}" for name, each in sizes.items())
        notes.append(
            f"The generators' pictures have different sizes in pixels ({told}), by which people may tell them apart."
        )
    return len(rankings), notes


def plain_picture(images: Images, name: str) -> Image.Image:
    """The pixels of a picture as RGB, upright, and nothing else of it.

    Raises:
        ImageError: It cannot be read.
    """
    image = images.open(name)
    try:
        image = ImageOps.exif_transpose(image) or image
    except (OSError, ValueError, SyntaxError):  # damaged EXIF data: as it is stored
        pass
    pixels = image.convert("RGB")
    return Image.frombytes("RGB", pixels.size, pixels.tobytes())


def _write(path: Path, picture: Image.Image, moment: float) -> None:
    try:
        with path.open("xb") as file:
            picture.save(file, format="PNG")
        os.utime(path, (moment, moment))
    except OSError as error:
        raise naming(error, path) from error


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def _table(rankings: Sequence[Ranking]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("prompt", "image", "rank", "annotator"))
    for ranking in rankings:
        writer.writerows((spreadsheet_safe(ranking.prompt), name, "", "") for name in ranking.images)
    return text.getvalue()


def _sizes(sizes: set[tuple[int, int]]) -> str:
    shown = sorted(sizes)[:3]
    return ", ".join(f"{width} x {height}" for width, height in shown) + (
        " and others" if len(sizes) > 3 else ""
    )
