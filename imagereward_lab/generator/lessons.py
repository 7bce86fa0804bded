"""What the generator's networks learn: pictures to latents and back, and the noise in latents of a prompt's picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from imagereward_core.weights.checkpoint import write_state

from ..demo_model.teaching import parameters_of
from ..figures.contact_sheet import write_sheet
from ..training.state.draws import Draws
from ..training.validation import autocast
from .learning import Lesson
from .measure import Judge, by_aspect, own_over_others
from .networks import Generator, ready_to_learn
from .pictures import a_prompt, as_pictures, drawn, some_scenes
from .places import places
from .prompts import PromptIds
from .sampling import sample, signal
from .schedule import Autoencoding, Denoising, Schedule
from .sides import SideHeads

LATENTS_FILE = "latents.safetensors"
_JUDGED, _COLUMNS = 64, 8
_NOISY_FROM = 0.6
_AT_ONCE = 256


def autoencoding(
    generator: Generator, stage: Autoencoding, folder: Path, judge: Judge, precision: str = "fp32"
) -> Lesson:
    """The lesson of the autoencoder, made ready for it: differences of pixels, of their neighbours and of tones."""
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    vae, size = generator.vae, generator.config.image_size
    ready_to_learn(vae)
    device = next(vae.parameters()).device
    rng = random.Random(f"autoencoding, held out {stage.seed}")
    kept = some_scenes(rng, _JUDGED, held_out=True)
    shown = drawn(kept, rng, size).to(device)
    prompts = [scene.prompt for scene in kept]

    def loss(draws: Draws) -> Tensor:
        images = drawn(some_scenes(draws.plain, stage.batch), draws.plain, size).to(device)
        with autocast(device, precision):
            moments = vae.encode(images).latent_dist.parameters
        found = DiagonalGaussianDistribution(moments.float())
        latents = found.mean + found.std * draws.normal(found.mean)
        share = stage.noise * torch.rand(len(images), 1, 1, 1, generator=draws.numbers).to(device)
        spread = found.mean.detach().std(dim=(0, 2, 3), keepdim=True)
        with autocast(device, precision):
            again = vae.decode(latents + share * spread * draws.normal(latents)).sample.float()
        divergence = 0.5 * (found.mean**2 + found.var - 1 - found.logvar).mean()
        return _difference(again, images, stage) + stage.kl_weight * divergence

    def judged(step: int) -> dict[str, float]:
        again = generator.decoded(generator.moments(shown)[0])
        few, pictures = as_pictures(shown), as_pictures(again)
        rows = [
            pair
            for first in range(0, 4 * _COLUMNS, _COLUMNS)
            for pair in (few[first : first + _COLUMNS], pictures[first : first + _COLUMNS])
        ]
        words = [["drawn" if place % 2 == 0 else "decoded"] * len(row) for place, row in enumerate(rows)]
        write_sheet(folder / f"sheet-{step:06d}.png", rows, words)
        return {
            "difference": float((again - shown).abs().mean()),
            "score": float(judge(pictures, prompts).mean()),
            "score of drawn": float(judge(few, prompts).mean()),
        }

    return Lesson("autoencoder", parameters_of(vae=vae), loss, judged)


def _difference(again: Tensor, images: Tensor, stage: Autoencoding) -> Tensor:
    edges = sum(F.l1_loss(again.diff(dim=way), images.diff(dim=way)) for way in (2, 3))
    tones = F.avg_pool2d(again, 4), F.avg_pool2d(images, 4)
    squares = F.mse_loss(again, images) + F.mse_loss(*tones)
    absolute = F.l1_loss(again, images) + stage.edges_weight * edges + stage.tones_weight * F.l1_loss(*tones)
    return absolute + stage.squares_weight * squares


@torch.no_grad()
def channel_statistics(generator: Generator, seed: int, scenes: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of the latents that the autoencoder itself gives, float [4] each."""
    rng = random.Random(f"channels {seed}")
    device = next(generator.vae.parameters()).device
    found = []
    for first in range(0, scenes, _AT_ONCE):
        some = some_scenes(rng, min(_AT_ONCE, scenes - first))
        found.append(
            generator.vae.encode(drawn(some, rng, generator.config.image_size).to(device)).latent_dist.mean
        )
    latents = torch.cat(found)
    return latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))


def denoising(
    generator: Generator,
    stage: Denoising,
    schedule: Schedule,
    ids: PromptIds,
    folder: Path,
    judge: Judge,
    say: Callable[[str], None],
    precision: str = "fp32",
) -> Lesson:
    """The lesson of the UNet and the text tower, on latents of scenes that are drawn once."""
    rng = random.Random(f"denoising {stage.seed}")
    scenes = some_scenes(rng, stage.scenes)
    device = next(generator.unet.parameters()).device
    means, spreads = _latents(generator, scenes, rng, folder, say)
    left = signal()
    weights = (1 / left).clamp(max=stage.weight_cap)
    weights = weights / weights.mean()
    kept = some_scenes(random.Random(f"denoising, held out {stage.seed}"), _JUDGED, held_out=True)
    heads = SideHeads(generator.config.text_width, stage.seed).to(device) if stage.sides_weight else None

    def loss(draws: Draws) -> Tensor:
        rows = [draws.plain.randrange(len(scenes)) for _ in range(stage.batch)]
        prompts = [
            "" if draws.plain.random() < stage.dropped else a_prompt(scenes[row], draws.plain) for row in rows
        ]
        tokens = ids(prompts).to(device)
        latents = (means[rows] + spreads[rows] * draws.normal(means[rows])).to(device)
        noise = draws.normal(latents)
        steps = timesteps(stage, len(left), draws)
        share = left[steps].to(device)[:, None, None, None]
        noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
        with autocast(device, precision):
            states = generator.states(tokens)
            guessed = generator.noise(noisy, steps.to(device), states).float()
        lost = (weights[steps].to(device) * ((guessed - noise) ** 2).mean(dim=(1, 2, 3))).mean()
        if heads is None:
            return lost
        told = [scenes[row] if prompt else None for row, prompt in zip(rows, prompts)]
        return lost + stage.sides_weight * heads.loss(states.float(), tokens, told)

    def judged(step: int) -> dict[str, float]:
        images = sample(
            generator,
            ids,
            [scene.prompt for scene in kept],
            seed=stage.seed,
            steps=schedule.sampling_steps,
            guidance=schedule.guidance,
        )
        pictures = as_pictures(images)
        write_sheet(
            folder / f"sheet-{step:06d}.png", *in_rows(pictures[:32], [scene.prompt for scene in kept[:32]])
        )
        share, own = own_over_others(kept, pictures, judge)
        aspects, lie = by_aspect(kept, pictures, own, judge), places(kept, pictures)
        return {
            "own prompt above another's": share,
            "score": float(own.mean()),
            **{f"right in {name}": row["share"] for name, row in aspects.items()},
            "two things lie as asked": lie["right"],
            "have changed places": lie["opposite"],
        }

    learns: dict[str, nn.Module] = {"unet": generator.unet, "text": generator.text}
    if heads is not None:
        learns["heads"] = heads
    return Lesson("denoiser", parameters_of(**learns), loss, judged)


def timesteps(stage: Denoising, number: int, draws: Draws) -> Tensor:
    """Those of a batch, int64 [N]."""
    every = torch.randint(number, (stage.batch,), generator=draws.numbers)
    if not stage.noisy:
        return every
    least = round(_NOISY_FROM * number)
    late = torch.randint(least, number, (stage.batch,), generator=draws.numbers)
    return torch.where(torch.rand(stage.batch, generator=draws.numbers) < stage.noisy, late, every)


def in_rows(pictures: list, words: list[str]) -> tuple[list[list], list[list[str]]]:
    """Pictures and their words in rows of eight."""
    places = range(0, len(pictures), _COLUMNS)
    return (
        [pictures[first : first + _COLUMNS] for first in places],
        [words[first : first + _COLUMNS] for first in places],
    )


@torch.no_grad()
def _latents(
    generator: Generator, scenes: list, rng: random.Random, folder: Path, say: Callable[[str], None]
) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the scenes' latents, on the processor; kept in a file, for they take minutes."""
    path = folder / LATENTS_FILE
    if not path.is_file():
        say(f"denoiser: draws and encodes {len(scenes):,} scenes ...")
        device = next(generator.vae.parameters()).device
        found = [
            generator.moments(
                drawn(scenes[first : first + _AT_ONCE], rng, generator.config.image_size).to(device)
            )
            for first in range(0, len(scenes), _AT_ONCE)
        ]
        means, spreads = (torch.cat(part).cpu() for part in zip(*found))
        folder.mkdir(parents=True, exist_ok=True)
        write_state(path, {"mean": means, "deviation": spreads}, {"format": "pt"})
    stored = load_file(path)
    return stored["mean"], stored["deviation"]


def settings_of(stage: Autoencoding | Denoising) -> dict:
    """What a lesson is begun with."""
    return asdict(stage)
