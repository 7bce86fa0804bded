"""Pictures and prompts of the second loss, on which the model goes on learning to draw as it was trained to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError, safe_open
from torch import Tensor

from imagereward_core.errors import ImageError
from imagereward_core.images.decode import open_image
from imagereward_core.images.suffixes import is_picture_name
from imagereward_core.metadata.prompt_finder import PromptFinder
from imagereward_core.plain import count_of
from imagereward_core.weights.checkpoint import write_state

from ...training.errors import TrainingError
from ...training.state.draws import Draws
from ...training.state.processes import Processes
from ..bases.base import Base
from ..bases.schedule import every
from ..methods.drawing import walk
from ..methods.options import MethodOptions
from .shares import dealt, together

EXAMPLES = "examples.safetensors"
MOST = 2000
"""Pictures of a folder that are taken at the most."""
_FORMAT, _KEY = "imagereward-refl-examples-1", "examples"
_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Pictures as latents, with their prompts.

    Attributes:
        latents: Clean latents float32 [K, C, h, w], on the processor.
        prompts: K texts.
        origin: Where they are from, in words.
    """

    latents: Tensor
    prompts: tuple[str, ...]
    origin: str

    def digest(self) -> str:
        """SHA-256 of all of it."""
        found = hashlib.sha256(json.dumps(self.prompts).encode())
        found.update(self.latents.numpy().tobytes())
        return found.hexdigest()


def drawn_examples(
    base: Base,
    prompts: Sequence[str],
    number: int,
    options: MethodOptions,
    seed: int,
    among: Processes,
    progress: Callable[[int], None] | None = None,
) -> Examples:
    """Pictures that the model draws as it is: what it could do before it was tuned.

    Args:
        base: The model, untouched.
        prompts: One after another, again from the first where there are fewer than ``number``.
        number: How many.
        options: Steps, guidance and size of the drawings.
        seed: Of their noise.
        among: The processes that share the work.
        progress: Told how many this process has drawn.
    """
    places = dealt(number, among)
    chosen = [prompts[place % len(prompts)] for place in range(number)]
    found = [torch.empty(0)]
    for first in range(0, len(places), _AT_ONCE):
        some = places[first : first + _AT_ONCE]
        found.append(
            _drawn(base, [chosen[place] for place in some], options, [f"{seed} {at}" for at in some])
        )
        if progress is not None:
            progress(first + len(some))
    own = torch.cat(found[1:]) if len(found) > 1 else _nothing(base, options)
    return Examples(
        latents=together(own, number, among).float(),
        prompts=tuple(chosen),
        origin=f"{count_of(number, 'picture')} that the model drew itself before it was tuned",
    )


@torch.no_grad()
def _drawn(base: Base, prompts: Sequence[str], options: MethodOptions, seeds: Sequence[str]) -> Tensor:
    schedule = base.schedule(options.steps, options.height, options.width)
    generators = [Draws.of("example", seed).numbers for seed in seeds]
    noise = base.noise(generators, options.height, options.width)
    stops = every(len(schedule), len(prompts)).tolist()
    return walk(base, schedule, base.encode(prompts), noise, stops, options, generators).cpu()


def _nothing(base: Base, options: MethodOptions) -> Tensor:
    """Latents of no picture, in the shape of others."""
    return base.noise([torch.Generator()], options.height, options.width)[:0].cpu()


def folder_examples(
    base: Base,
    folder: Path,
    options: MethodOptions,
    seed: int,
    among: Processes,
    left_out: Callable[[str], None],
) -> Examples:
    """Pictures of a folder and below, each with the prompt in the text file beside it or in its metadata.

    They are brought to the size that is tuned at: as small as covers it, and cut off around the middle.

    Args:
        base: The model.
        folder: With pictures.
        options: Height and width.
        seed: Of the choice, where there are more than :data:`MOST`, and of the autoencoder's draws.
        among: The processes that share the work.
        left_out: Told of every picture that cannot be used, and why.

    Raises:
        TrainingError: There is none that can be used.
    """
    rng = Draws.of("pictures", seed).plain
    paths = list(_pictures(folder))
    if len(paths) > MOST:
        paths = [paths[at] for at in sorted(rng.sample(range(len(paths)), MOST))]
    find, prompts, usable = PromptFinder(None), [], []
    for path in paths:
        found = find(path)
        if not found.seen or found.problem:
            left_out(f"{path}: {found.problem or 'it has no prompt'}")
            continue
        usable.append(path)
        prompts.append(found.seen)
    own_height, own_width = base.image_size
    size = options.width or own_width, options.height or own_height
    latents = together(_encoded(base, usable, size, seed, among, left_out), len(usable), among).float()
    whole = [at for at in range(len(usable)) if bool(latents[at].isfinite().all())]
    if not whole:
        raise TrainingError(
            f"{folder} has no picture with a prompt that could be used for the second loss; expected pictures, each with a text file "
            "beside it or a prompt in its metadata. Name another folder, or leave out --pictures"
        )
    return Examples(
        latents=latents[whole],
        prompts=tuple(prompts[at] for at in whole),
        origin=f"{count_of(len(whole), 'picture')} of {folder.name or folder}",
    )


def most_examples(folder: Path) -> int:
    """As many pictures as :func:`folder_examples` would take if all could be used."""
    return min(MOST, sum(1 for _ in _pictures(folder)))


def _pictures(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in sorted(filter(is_picture_name, files)))


@torch.no_grad()
def _encoded(
    base: Base,
    paths: Sequence[Path],
    size: tuple[int, int],
    seed: int,
    among: Processes,
    left_out: Callable[[str], None],
) -> Tensor:
    """Latents of this process's share; NaN for a picture that cannot be read."""
    made = [base.noise([torch.Generator()], size[1], size[0])[:0].cpu()]
    for place in dealt(len(paths), among):
        try:
            image = ImageOps.fit(open_image(paths[place]).convert("RGB"), size, Image.Resampling.LANCZOS)
        except ImageError as error:
            left_out(str(error))
            made.append(made[0].new_full((1, *made[0].shape[1:]), float("nan")))
            continue
        pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
        made.append(base.encode_images(pixels, [Draws.of("picture", seed, place).numbers]).cpu().float())
    return torch.cat(made)


def save_examples(examples: Examples, folder: Path) -> None:
    """Writes them into the folder of a run."""
    facts = {"format": _FORMAT, "prompts": list(examples.prompts), "origin": examples.origin}
    write_state(folder / EXAMPLES, {"latents": examples.latents}, {"format": "pt", _KEY: json.dumps(facts)})


def load_examples(folder: Path) -> Examples:
    """What :func:`save_examples` wrote.

    Raises:
        TrainingError: It is missing, or is something else.
    """
    path = folder / EXAMPLES
    try:
        with safe_open(str(path), framework="pt", device="cpu") as handle:
            facts = json.loads((handle.metadata() or {}).get(_KEY, "{}"))
            if facts.get("format") != _FORMAT:
                raise ValueError("it is something else")
            latents = handle.get_tensor("latents").clone()
        prompts = tuple(map(str, facts["prompts"]))
        if len(prompts) != len(latents):
            raise ValueError(f"it has {len(prompts)} prompts for {len(latents)} pictures")
    except (OSError, SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}); expected the pictures of the second loss that this run was begun with. Put the file back, "
            "or begin anew in another --output"
        ) from error
    return Examples(latents=latents, prompts=prompts, origin=str(facts["origin"]))


def is_examples(path: Path) -> bool:
    """Whether a file is one of :func:`save_examples`, which a run that was killed at its very beginning leaves behind."""
    try:
        load_examples(path.parent)
    except TrainingError:
        return False
    return True
