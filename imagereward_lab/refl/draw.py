"""Pictures of prompts by a model, with or without a LoRA that was tuned here: what ``imagereward draw`` does, without its words."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagereward_core.files.whole import written_whole
from imagereward_core.metadata.formats.a1111 import parse_infotext
from imagereward_core.settings import check, setting

from ..training.errors import TrainingError
from .bases.base import TARGETS, Base
from .lora.adapter import attach
from .lora.stored import read_lora, state_of
from .methods.drawing import draw
from .methods.options import MethodOptions

SOFTWARE = "ImageReward Curator"


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """How pictures are drawn."""

    number: int = setting(1, "Pictures for each prompt", low=1, high=10_000)
    seed: int = setting(
        0,
        "Of the first picture; each further one has the next. Equal seeds give equal pictures, with a LoRA and without",
        low=0,
        high=2**63 - 1,
    )
    steps: int = setting(25, "Steps of drawing", low=2, high=999)
    guidance: float = setting(5.0, "Classifier-free guidance; 1 has none", low=0)
    height: int | None = setting(None, "Height of pictures in pixels; by default the model's own", low=8)
    width: int | None = setting(None, "Width of pictures in pixels; by default the model's own", low=8)
    batch: int = setting(4, "Pictures that are drawn at once; fewer take less memory", low=1)

    def __post_init__(self) -> None:
        check(self)

    @property
    def drawing(self) -> MethodOptions:
        """As the functions of drawing take it."""
        return MethodOptions(
            steps=self.steps, guidance=self.guidance, height=self.height, width=self.width, eta=0.0
        )


@dataclass(frozen=True)
class Wanted:
    """A picture that is to be drawn.

    Attributes:
        prompt: What it shall show.
        seed: Its noise follows from it, as in hosts: numbers of the processor.
        path: Its file.
    """

    prompt: str
    seed: int
    path: Path


def wanted(prompts: Sequence[str], folder: Path, options: DrawOptions) -> list[Wanted]:
    """All pictures: those of the first prompt, then those of the second; the same names and seeds whatever draws them."""
    return [
        Wanted(prompt, seed, folder / f"{at:05d}-{seed}.png")
        for at, (prompt, seed) in enumerate(
            (prompt, options.seed + place * options.number + each)
            for place, prompt in enumerate(prompts)
            for each in range(options.number)
        )
    ]


def infotext(one: Wanted, base: Base, options: DrawOptions, model: str, digest: str, lora: str = "") -> str:
    """Prompt and settings as the WebUIs write them into a PNG, so that everything that reads those reads these.

    Raises:
        ValueError: The prompt would not be read back as it is.
    """
    height, width = base.image_size
    told = {
        "Steps": str(options.steps),
        "Sampler": "Euler" if base.prediction == "flow" else "DDIM",
        "CFG scale": f"{options.guidance:g}",
        "Seed": str(one.seed),
        "Size": f"{options.width or width}x{options.height or height}",
        "Model hash": digest[:10],
        "Model": _value(model),
        **({"Prediction": base.prediction} if base.prediction == "v_prediction" else {}),
        **({} if base.dtype == torch.float32 else {"Precision": str(base.dtype).removeprefix("torch.")}),
        **({"Lora hashes": _value(lora, quoted=True)} if lora else {}),
    }
    text = f"{one.prompt}\n" + ", ".join(f"{name}: {value}" for name, value in told.items())
    if parse_infotext(text).prompt != one.prompt:
        raise ValueError(
            f"{one.prompt[:80]!r} cannot be written into a picture's parameters and read back as it is; expected a prompt without "
            "lines that look like settings, such as 'Negative prompt:'"
        )
    return text


def _value(text: str, quoted: bool = False) -> str:
    """A value of the line of settings, which ends at a comma."""
    plain = text.replace('"', "'").replace("\n", " ")
    return f'"{plain}"' if quoted or any(each in plain for each in ",:") else plain


def put_lora(base: Base, path: Path) -> str:
    """Puts a LoRA of ``imagereward refl`` beside the layers of a model; returns the hash of the model that it was made for.

    Raises:
        TrainingError: It is missing, not one of those, or for a model with other layers.
    """
    stored = read_lora(path)
    try:
        facts = json.loads(stored.metadata["imagereward.facts"])
        rank, alpha = int(facts["rank"]), float(facts["alpha"])
        layers, made_for = int(facts["layers"]), str(facts.get("base_sha256", ""))
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TrainingError(
            f"{path} does not say how it was tuned ({error!r}); expected a LoRA that 'imagereward refl' has made. Hosts draw with others"
        ) from error
    targets = next((found for found in map(base.targets, TARGETS) if len(found) == layers), None)
    if targets is None:
        known = " or ".join(dict.fromkeys(str(len(base.targets(each))) for each in TARGETS))
        raise TrainingError(
            f"{path} changes {layers} layers, and {base.path} has {known} that can "
            "be changed; expected a LoRA for this model"
        )
    adapter = attach(base, targets, rank=rank, alpha=alpha)
    try:
        adapter.fill(state_of(stored, adapter))
    except TrainingError as error:
        raise TrainingError(f"{path} is not for {base.path}: {error}") from error
    return made_for


def draw_all(
    base: Base,
    pictures: Sequence[tuple[Wanted, str]],
    options: DrawOptions,
    progress: Callable[[int, int], None] | None = None,
    there: Collection[Path] = (),
) -> list[str]:
    """Draws pictures into their files, each with its text as the WebUIs' ``parameters``; returns the ends of prompts that were not read.

    Those of a batch are drawn together also where some of them are there already: alone, rounding could differ by a level.

    Args:
        base: The model.
        pictures: All of them.
        options: How.
        progress: Told of pictures dealt with, and of all.
        there: Files that are not written.

    Raises:
        TrainingError: Sizes do not fit the model.
        OSError: A file cannot be written.
    """
    drawing, cut = options.drawing, dict[str, str]()
    for first in range(0, len(pictures), options.batch):
        some = pictures[first : first + options.batch]
        if all(one.path in there for one, _ in some):
            continue
        noise = [torch.Generator().manual_seed(one.seed) for one, _ in some]
        conditions = base.encode([one.prompt for one, _ in some])
        cut |= {prompt: end for prompt, end in zip(conditions.prompts, conditions.cut) if end}
        images = draw(base, conditions, noise, drawing)
        levels = (images.float().cpu() * 255).round().clamp(0, 255).to(torch.uint8)
        for (one, text), each in zip(some, levels):
            if one.path in there:
                continue
            _save(Image.fromarray(np.ascontiguousarray(each.permute(1, 2, 0).numpy())), one.path, text)
        if progress is not None:
            progress(first + len(some), len(pictures))
    return list(cut.values())


def _save(picture: Image.Image, path: Path, text: str) -> None:
    told = PngInfo()
    told.add_text("parameters", text)
    told.add_text("Software", SOFTWARE)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        picture.save(file, format="PNG", pnginfo=told)


def drawn_already(path: Path, text: str) -> bool:
    """Whether a file is there that was drawn with exactly these settings.

    Raises:
        TrainingError: Something else is there.
    """
    try:
        with Image.open(path) as picture:
            same = picture.info.get("parameters") == text
            picture.load()
    except FileNotFoundError:
        return False
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        same = False
    if not same:
        raise TrainingError(
            f"{path} is there already and was not drawn with these settings; it stays as it is. Name another --output"
        )
    return True
